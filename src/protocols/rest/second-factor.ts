/** The second step of the own sign-in. Tokens and devices cannot touch it. */
import type { Caller } from '../../identity/index.ts';
import type { Exchange } from '../../platform/index.ts';
import {
  FirstCode, NewSecondFactorShape, OwnPassword, OwnPasswordAndCode, RecoveryCodes,
  SecondFactorShape,
} from '../../wire/account.ts';
import { timeText } from './node-view.ts';
import type { RestApi } from './operation.ts';
import { checkOwnSignIn, refusingProofs } from './own-sign-in.ts';
import type { RestParts } from './rest-parts.ts';

const SHARED = { tag: 'account', scope: 'account', refusals: [409, 429] } as const;
const ROOT = '/account/second-factor';
const OWN_ONLY = 'Sign in with your own password to change how you sign in.';

export function secondFactorResource(api: RestApi, parts: RestParts): void {
  setUp(api, parts);
  keep(api, parts);
}

function setUp(api: RestApi, { identity: { secondFactors } }: RestParts): void {
  api.operation({
    ...SHARED, id: 'getSecondFactor', method: 'GET', path: ROOT,
    summary: 'Whether signing in takes a second step',
    success: { status: 200, description: 'How it is.', schema: SecondFactorShape },
    async answer({ caller }) {
      const { isOn, since, recoveryCodesLeft } = await secondFactors.stateOf(caller.user);
      return {
        body: { isOn, recoveryCodesLeft, ...(since !== undefined && { since: timeText(since) }) },
      };
    },
  });
  api.operation({
    ...SHARED, id: 'beginSecondFactor', method: 'POST', path: ROOT,
    summary: 'Begin to set a second step up: answers a secret for an authenticator app',
    description: 'Nothing asks for codes until one was shown, within the hour.',
    body: OwnPassword, answersSecret: true,
    success: { status: 201, description: 'The secret.', schema: NewSecondFactorShape },
    async answer({ caller, exchange, body: { password } }) {
      const proof = { ...proverOf(caller, exchange), password };
      return { body: await refusingProofs(() => secondFactors.begin(proof, hostOf(exchange))) };
    },
  });
  api.operation({
    ...SHARED, id: 'turnOnSecondFactor', method: 'POST', path: `${ROOT}/confirmation`,
    summary: 'Turn the second step on, by a first code: the password alone signs in nowhere then',
    description: 'Other sessions end. App passwords and tokens stay.',
    body: FirstCode, answersSecret: true,
    success: { status: 200, description: 'It is on.', schema: RecoveryCodes },
    async answer({ caller, exchange, body: { code } }) {
      const { address } = proverOf(caller, exchange);
      const codes = await refusingProofs(() => secondFactors.turnOn(caller, { code, address }));
      return { body: { codes } };
    },
  });
}

/** Ending it needs a body, which DELETE has none of (RFC 9110, section 9.3.5). */
function keep(api: RestApi, { identity: { secondFactors } }: RestParts): void {
  api.operation({
    ...SHARED, id: 'renewRecoveryCodes', method: 'POST', path: `${ROOT}/recovery-codes`,
    summary: 'Make new recovery codes; those made before are void',
    body: OwnPasswordAndCode, answersSecret: true,
    success: { status: 200, description: 'The new ones.', schema: RecoveryCodes },
    async answer({ caller, exchange, body }) {
      const proof = { ...proverOf(caller, exchange), ...body };
      const codes = await refusingProofs(() => secondFactors.renewRecoveryCodes(proof));
      return { body: { codes } };
    },
  });
  api.operation({
    ...SHARED, id: 'turnOffSecondFactor', method: 'POST', path: `${ROOT}/end`,
    summary: 'Turn the second step off: the password alone signs in again',
    body: OwnPasswordAndCode, answersSecret: true,
    success: { status: 204, description: 'It is off.' },
    async answer({ caller, exchange, body }) {
      const proof = { ...proverOf(caller, exchange), ...body };
      await refusingProofs(() => secondFactors.turnOff(proof));
      return {};
    },
  });
}

/** @throws denied: a device or a token asks. */
function proverOf(caller: Caller, { address }: Exchange) {
  checkOwnSignIn(caller, OWN_ONLY);
  return { user: caller.user, address };
}

/** Tells servers apart in the list of an authenticator app. */
function hostOf({ origin }: Exchange): string {
  return origin.slice(origin.indexOf('//') + 2);
}
