import type { ReactNode } from 'react';
import type { Share } from '../../../../src/wire/client.ts';
import { factsOf } from './sharing-words.ts';

export interface ShareFactsProps {
  readonly share: Share;
  /** What comes first. */
  readonly before?: readonly string[];
}

/** In one line below a name; nothing when there is nothing to say. */
export function ShareFacts({ share, before = [] }: ShareFactsProps): ReactNode {
  const facts = factsOf(share);
  if (facts.length + before.length === 0) return null;
  return (
    <small className="hf-share-facts">
      {before.map((text) => <span key={text}>{text}</span>)}
      {facts.map(({ key, text, isBad }) => (
        <span key={key} {...(isBad === true && { 'data-bad': '' })}>{text}</span>
      ))}
    </small>
  );
}
