import { field, readJson } from './body.ts';
import { spentBudget } from './budget.ts';
import { type Diagnostic, RegistryError } from './errors.ts';
import { retryAfterMs } from './retry-after.ts';
import type { HttpRequest, HttpResponse } from './transport.ts';

const ERROR_BODY_BYTES = 64 * 1024;

/** Turns an answer that is not what was asked for into an error that carries the registry's own words. */
export async function refusalOf(
  request: HttpRequest,
  response: HttpResponse,
): Promise<RegistryError> {
  const { method } = request;
  // Behind a redirect it is the storage service that refuses.
  const { status, url } = response;
  const diagnostics = await diagnosticsOf(response);
  return new RegistryError({
    method,
    url,
    status,
    diagnostics,
    retryAfterMs: retryAfterMs(response),
    spent: spentBudget(response),
  });
}

async function diagnosticsOf(response: HttpResponse): Promise<readonly Diagnostic[]> {
  const body = await readJson(response, ERROR_BODY_BYTES).catch(() => undefined);
  const errors = field(body, 'errors');
  if (!Array.isArray(errors)) return [];
  return errors.slice(0, 5).flatMap((error) => {
    const code = field(error, 'code');
    const message = field(error, 'message');
    const known = typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code);
    return known ? [{ code, message: typeof message === 'string' ? message : '' }] : [];
  });
}
