export { Output } from './output.ts';
export { Progress, progressLine, type ProgressOptions } from './progress.ts';
export { NO_STYLE, styleFor, type Style } from './style.ts';
export { facts, table, type Column, type Fact, type Section } from './table.ts';
export { asText, printMessage, type MessageForm, type ShownMessage } from './message.ts';
export { harmlessLine } from './width.ts';
