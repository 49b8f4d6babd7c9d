import { randomUUID, sign } from 'node:crypto';
import { certify, pem } from './certificates-x509.ts';
import type { Access } from './token-server-scopes.ts';

export interface TokenClaims {
  readonly subject: string;
  readonly audience: string;
  readonly access: readonly Access[];
  readonly lifetimeSeconds: number;
}

export interface Signer {
  readonly issuer: string;
  /** of the signing key, PEM: distribution's rootcertbundle */
  readonly certificate: string;
  /** Makes a token that distribution accepts as long as it lives, and not longer. */
  sign(claims: TokenClaims): string;
}

/** Distribution 2.8 accepts a token for a minute after its end; tokens end earlier to make up for it. */
const LEEWAY_SECONDS = 60;

/**
 * Makes a key that signs tokens, with a certificate that signs itself.
 *
 * @see https://distribution.github.io/distribution/spec/auth/jwt/
 */
export function makeSigner(): Signer {
  const issuer = 'test-token-server';
  const { key, certificate } = certify({ name: issuer });
  const header = {
    alg: 'ES256',
    typ: 'JWT',
    x5c: [Buffer.from(certificate).toString('base64')],
  };
  return {
    issuer,
    certificate: pem('CERTIFICATE', certificate),
    sign: ({ subject, audience, access, lifetimeSeconds }) => {
      const now = Math.floor(Date.now() / 1000);
      const text = [
        header,
        {
          ...{ iss: issuer, sub: subject, aud: audience, access, jti: randomUUID() },
          ...{ iat: now, nbf: now - 120, exp: now + lifetimeSeconds - LEEWAY_SECONDS },
        },
      ]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
      return `${text}.${signature.toString('base64url')}`;
    },
  };
}
