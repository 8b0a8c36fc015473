/** The endpoint that the example uses, and what its worker takes and gives. */
export const { ENDPOINT_ID = 'my-endpoint' } = process.env;

export interface Input {
  readonly prompt: string;
}

export interface Output {
  readonly text: string;
}
