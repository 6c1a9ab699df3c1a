import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import type { FileNode } from '../../api/shapes.ts';
import { t } from '../../texts/texts.ts';
import { useScreen } from './folder-screen.ts';
import { faultOfName } from './name-rules.ts';

/** The name, in its place, as a field. Enter and leaving it keep the new one, Escape the old. */
export function RenameField({ node }: { readonly node: FileNode }): ReactNode {
  const screen = useScreen();
  const field = useRef<HTMLInputElement>(null);
  const [name, setName] = useState(node.name);
  const fault = faultOfName(name);
  const isOver = useRef(false);
  useEffect(() => {
    const dot = node.kind === 'file' ? node.name.lastIndexOf('.') : -1;
    field.current?.focus();
    field.current?.setSelectionRange(0, dot > 0 ? dot : node.name.length);
  }, [node.kind, node.name]);
  const finish = (isKept: boolean): void => {
    if (isOver.current) return;
    isOver.current = true;
    const isGood = isKept && fault === undefined;
    void screen.finishRename(node, isGood ? name.trim() : undefined);
    document.getElementById('entries')?.focus();
  };
  return (
    <span className="hf-rename">
      <input
        ref={field} value={name} aria-label={t('files.renameLabel', { name: node.name })}
        aria-invalid={fault !== undefined} spellCheck={false} title={fault}
        onChange={(event) => setName(event.target.value)}
        onBlur={() => finish(true)}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === 'Enter' && fault === undefined) finish(true);
          if (event.key === 'Escape') finish(false);
        }}
      />
      {fault !== undefined && <small role="alert">{fault}</small>}
    </span>
  );
}
