/** Owns the stream's own subject transform: every message that comes in is renamed before anything looks at its subject. */
import { compileSubjectTransform, type SubjectTransform } from '../../base/subject-transform.ts';
import type { MessageDraft } from '../messages/message-draft.ts';
import type { MessageRewriter } from './rewriters.ts';
import type { SubjectMapping } from '../types.ts';

/** The mapping ready for use; undefined when it changes nothing. `mapping` has been checked. */
export function transformOf(mapping: SubjectMapping | undefined, random: () => number): SubjectTransform | undefined {
  if (mapping === undefined || mapping.dest === '') return undefined;
  const compiled = compileSubjectTransform(mapping.src, mapping.dest, random);
  return compiled.ok ? compiled.transform : undefined;
}

export class SubjectRewriter implements MessageRewriter {
  readonly #transform: SubjectTransform;

  constructor(transform: SubjectTransform) {
    this.#transform = transform;
  }

  rewrite(message: MessageDraft): undefined {
    const { subject } = message;
    const length = this.#transform.apply(subject, 0, subject.length);
    if (length >= 0) message.subject = Buffer.from(this.#transform.output.subarray(0, length));
  }
}
