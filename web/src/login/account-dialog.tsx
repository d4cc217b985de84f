// A screen over the start screen, with a title and a way back.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../words/words";
import "./account.css";

export interface AccountDialogProps {
  readonly title: string;
  readonly children: ComponentChildren;
  close(): void;
}

export function AccountDialog({ title, children, close }: AccountDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="account" aria-label={title} onClose={close}>
      <header>
        <h2>{title}</h2>
        <button type="button" class="secondary" onClick={close}>
          {t("action.close")}
        </button>
      </header>
      {children}
    </dialog>
  );
}
