import { jestRows } from './rows/jest.mjs';
import { nodeRows } from './rows/node.mjs';
import { pageRows } from './rows/pages.mjs';
import { runtimeRows } from './rows/runtimes.mjs';
import { typescriptRows } from './rows/typescript.mjs';

/**
 * What the package is meant to run in. docs/platforms.md shows the same table, which a test compares.
 *
 * @type {{
 *   name: string, transport: string, needs: string, quick?: boolean,
 *   work(context: { packed: object, options: object, temp: string }): Promise<string>
 * }[]}
 */
export const rows = [...nodeRows, ...runtimeRows, ...pageRows, ...jestRows, ...typescriptRows];
