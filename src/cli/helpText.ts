import type { AddHelpTextContext } from 'commander';

/** The width of help where the output is no terminal, as Commander has it. */
const WIDTH = 80;

/**
 * A text to add to a command's help, as wide as the terminal. Lines that follow one another are a paragraph. What begins with a
 * blank, such as an example, stays as it is.
 */
export function helpText(text: string): (context: AddHelpTextContext) => string {
  const lines = text.replace(/(\S)\n(?=\S)/g, '$1 ').split('\n');
  return ({ command, error }) => {
    const output = command.configureOutput();
    const width = (error ? output.getErrHelpWidth?.() : output.getOutHelpWidth?.()) ?? WIDTH;
    const help = command.createHelp();
    return lines.map((line) => (/^\S/.test(line) ? help.boxWrap(line, width) : line)).join('\n');
  };
}
