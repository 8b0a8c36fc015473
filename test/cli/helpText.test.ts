import { Command } from 'commander';
import { expect, test } from 'vitest';
import { program } from '../../src/cli/program.js';
import { helpText } from '../../src/cli/helpText.js';

const TEXT = `
The first line of a paragraph,
and its second line.

Examples:
  $ an example that is longer than the terminal is wide
`;

/** The help of a command with the text, on a terminal of this width, or where there is none. */
function helpOf(columns?: number): string {
  let help = '';
  new Command('command')
    .addHelpText('after', helpText(TEXT))
    .configureOutput({
      writeOut: (text) => (help += text),
      ...(columns && { getOutHelpWidth: () => columns }),
    })
    .outputHelp();
  return help.slice(help.indexOf('The first'));
}

test.each([
  [44, 'The first line of a paragraph, and its\nsecond line.\n'],
  [120, 'The first line of a paragraph, and its second line.\n'],
])('paragraphs of the help are as wide as a terminal of %i columns, and examples stay', (columns, paragraph) => {
  const examples = '\nExamples:\n  $ an example that is longer than the terminal is wide\n';
  expect(helpOf(columns).trimEnd()).toBe(`${paragraph}${examples}`.trimEnd());
});

const names = program(process).commands.map((command) => command.name());

test.each(names)('the help of %s fits into 80 columns, but for examples', (name) => {
  let help = '';
  const command = program(process).commands.find((one) => one.name() === name)!;
  command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 80 }).outputHelp();
  expect(help.split('\n').filter((line) => line.length > 80 && !line.startsWith('  $'))).toEqual([]);
});
