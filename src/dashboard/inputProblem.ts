/** Why a text is no input of a job; an empty text if it is one. */
export function inputProblem(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? '' : 'The input must be a JSON object, such as {"prompt": "hello"}.';
  } catch (error) {
    return text.trim() === ''
      ? 'The input is empty. An input without members is {}.'
      : `Not JSON: ${(error as Error).message}`;
  }
}
