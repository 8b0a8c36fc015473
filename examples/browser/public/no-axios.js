// The page sends by `fetch`, so the package's adapter for axios is not needed.
export const axiosSetup = () => {
  throw new Error('this page sends by fetch');
};
