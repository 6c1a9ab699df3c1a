/** What the handlers of this folder share. */
import type { BrakeService, FileService } from '../../files/index.ts';
import type { Identity } from '../../identity/index.ts';
import type { Exchange } from '../../platform/index.ts';
import type { Page, SendOptions } from './layout.ts';
import { sendPage } from './layout.ts';
import { isSignedIn } from './page-session.ts';
import type { SignedIn, Visitor } from './page-session.ts';

export interface PageParts {
  files: FileService;
  identity: Identity;
  /** Where the web page is. undefined: there is none, and `/` shows the account. */
  webPage?: string;
  /** undefined: no device is ever held back. */
  brakes?: BrakeService;
}

export interface PageRequest {
  exchange: Exchange;
  visitor: Visitor;
}

export interface SignedInRequest extends PageRequest {
  visitor: SignedIn;
}

/** Answers one page. It parses, calls one service, and shows; what it throws becomes a page too. */
export type PageHandler = (request: PageRequest) => Promise<void>;

/** Sends a page with the visitor's name on top and the cookies that the visitor needs. */
export function show(
  { exchange, visitor }: PageRequest, page: Omit<Page, 'visitor'>, options: SendOptions = {},
): void {
  const signedIn = isSignedIn(visitor)
    ? { displayName: visitor.caller.displayName, formToken: visitor.formToken } : undefined;
  const headers = { ...visitor.headers, ...options.headers };
  sendPage(exchange, { ...page, visitor: signedIn }, { ...options, headers });
}
