/** Owns the help texts, made from the commands' own declarations. */
import type { Command, Group } from './command.ts';
import { COMMON_OPTIONS } from './connection/index.ts';
import type { Style } from './output/index.ts';
import type { Parameter, Parameters } from './parameters/index.ts';
import { optionName } from './parse.ts';

export const PROGRAM = 'millrace';

export interface Topic {
  readonly name: string;
  readonly summary: string;
}

/** The first page. */
export function overview(topics: readonly Topic[], style: Style): string {
  return [
    `${style.bold('Millrace')}: a messaging server with replicated, durable streams, and the commands to work with it.\n`,
    `${style.bold('Usage')}\n  ${PROGRAM} <command> [options]     talk to a server\n  ${PROGRAM} [server options]       run a server (${PROGRAM} --help)\n`,
    `${style.bold('Commands')}\n${rows(topics.map(({ name, summary }) => [name, summary]))}`,
    examplesText(
      [
        'stream add ORDERS --subjects "orders.>"',
        'pub orders.new "first order"',
        'stream get ORDERS --last',
        'kv add settings',
        'kv put settings theme dark',
      ],
      style,
    ),
    `${PROGRAM} help <command> says more about each.\n`,
  ].join('\n');
}

/** `words` lead to the group, without the program's name. */
export function groupHelp(group: Group, words: readonly string[], style: Style): string {
  const topics = Object.entries(group.commands).map(([name, { summary }]): [string, string] => [name, summary]);
  const path = [PROGRAM, ...words].join(' ');
  return [
    `${group.summary}\n`,
    `${style.bold('Usage')}\n  ${path} <command> [options]\n`,
    `${style.bold('Commands')}\n${rows(topics)}`,
    examplesText(group.examples, style),
    `${path} <command> --help says more about each.\n`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

export function commandHelp(command: Command, words: readonly string[], style: Style): string {
  const entries = Object.entries(command.parameters);
  const positional = entries.filter(([, { kind }]) => kind === 'argument').map(([, parameter]) => parameter);
  const options = entries.filter(([, { kind }]) => kind !== 'argument');
  const usage = [PROGRAM, ...words, ...positional.map(argumentUsage), '[options]'].join(' ');
  return [
    `${command.summary}\n`,
    command.details === undefined ? '' : `${command.details}\n`,
    `${style.bold('Usage')}\n  ${usage}\n`,
    section('Arguments', rows(positional.map(({ placeholder, help }) => [placeholder, help])), style),
    section('Options', optionRows(options), style),
    examplesText(command.examples, style),
    section('Options of every command', optionRows(Object.entries<Parameter<unknown>>(COMMON_OPTIONS)), style),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function section(title: string, text: string, style: Style): string {
  return text === '' ? '' : `${style.bold(title)}\n${text}`;
}

function argumentUsage({ placeholder, arity }: Parameter<unknown>): string {
  if (arity === 'many') return `[${placeholder}...]`;
  return arity === 'optional' ? `[${placeholder}]` : placeholder;
}

function optionRows(options: readonly (readonly [string, Parameters[string]])[]): string {
  return rows(
    options.map(([key, { kind, short, placeholder, help }]) => {
      const letter = short === undefined ? '    ' : `-${short}, `;
      const value = kind === 'switch' ? '' : ` ${placeholder}`;
      return [`${letter}--${optionName(key)}${value}`, help];
    }),
  );
}

/** Wider names get a line of their own. */
const NAME_WIDTH = 34;

function rows(pairs: readonly (readonly [name: string, help: string])[]): string {
  const width = Math.min(NAME_WIDTH, Math.max(0, ...pairs.map(([name]) => name.length)));
  return pairs
    .map(([name, help]) => {
      if (name.length > width) return `  ${name}\n  ${' '.repeat(width)}  ${help}\n`;
      return `  ${name.padEnd(width)}  ${help}\n`;
    })
    .join('');
}

function examplesText(examples: readonly string[], style: Style): string {
  const lines = examples.map((example) => `  ${PROGRAM} ${example}\n`).join('');
  return section('Examples', lines, style);
}
