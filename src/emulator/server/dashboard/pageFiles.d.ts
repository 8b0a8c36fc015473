/** The page as the build bundles it from `src/dashboard/`: see `scripts/lib/dashboard.mjs`. */
declare const pageFiles: {
  readonly html: string;
  readonly css: string;
  readonly script: string;
};
export default pageFiles;
