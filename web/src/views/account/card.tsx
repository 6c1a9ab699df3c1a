import type { ReactNode } from 'react';

export interface CardProps {
  readonly title: string;
  readonly lead?: string;
  /** At the right of the title. */
  readonly action?: ReactNode;
  readonly children?: ReactNode;
}

export function Card({ title, lead, action, children }: CardProps): ReactNode {
  return (
    <section className="hf-account-card" aria-label={title}>
      <header className="hf-card-head">
        <div>
          <h2>{title}</h2>
          {lead !== undefined && <p>{lead}</p>}
        </div>
        {action}
      </header>
      {children}
    </section>
  );
}

export function Fault({ text }: { readonly text: string | undefined }): ReactNode {
  return text === undefined ? null : <p className="hf-fault" role="alert">{text}</p>;
}
