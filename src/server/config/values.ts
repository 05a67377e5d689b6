/** Owns the tree a configuration file is parsed into: values that know where they were written. */
import type { Position } from './problems.ts';

export type ConfigValue =
  | { readonly kind: 'string'; readonly value: string; readonly position: Position }
  | { readonly kind: 'integer'; readonly value: number; readonly position: Position }
  | { readonly kind: 'float'; readonly value: number; readonly position: Position }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly position: Position }
  | { readonly kind: 'datetime'; readonly value: Date; readonly position: Position }
  | ConfigArray
  | ConfigMap;

export interface ConfigArray {
  readonly kind: 'array';
  readonly items: readonly ConfigValue[];
  readonly position: Position;
}

/** Entries by their exact key, in the order of their last definition. */
export interface ConfigMap {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, ConfigEntry>;
  readonly position: Position;
}

export interface ConfigEntry {
  readonly key: string;
  /** Where the key stands; problems with the value are reported here too, as people look for the option's name. */
  readonly position: Position;
  readonly value: ConfigValue;
  /** Some `$key` referred to it: then it need not be an option. */
  usedAsVariable: boolean;
}

const KIND_NAMES: Readonly<Record<ConfigValue['kind'], string>> = {
  string: 'a string',
  integer: 'an integer',
  float: 'a number with a fraction',
  boolean: 'a boolean',
  datetime: 'a date',
  array: 'an array',
  map: 'a map',
};

/** How messages call the kind of a value. */
export function kindName(kind: ConfigValue['kind']): string {
  return KIND_NAMES[kind];
}
