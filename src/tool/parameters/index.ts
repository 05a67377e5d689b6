export {
  argument,
  bucketArgument,
  checkSubject,
  manyArguments,
  nameArgument,
  numberArgument,
  optional,
  subjectArgument,
} from './arguments.ts';
export {
  choice,
  flag,
  list,
  pairs,
  text,
  toggle,
  withDefault,
  type Input,
  type Parameter,
  type Parameters,
} from './parameter.ts';
export { bytes, count, duration, integer, limit, time } from './quantities.ts';
