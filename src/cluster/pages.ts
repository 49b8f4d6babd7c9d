import { printable } from '../text/printable.ts';
import type { ListOptions } from './cluster.ts';
import type { Connection } from './connection.ts';
import { ClusterError, type ClusterErrorReason } from './errors.ts';
import { fieldsAt, textAt } from './fields.ts';
import { type Access, ofContext } from './kubeconfig.ts';
import { type Resource, resourceName } from './resources.ts';
import type { Reply } from './retry.ts';

const GONE = 410;

/**
 * Lists a resource page by page. Where the place in the list expires (a slow reader, five minutes), the list
 * goes on at the newer place that the server offers, else starts again once: objects may then come twice.
 *
 * @throws {ClusterError} the server refuses
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export async function* listPages(
  connection: Connection,
  access: Access,
  resource: Resource,
  { namespace, signal }: ListOptions,
  pageSize: number,
): AsyncGenerator<unknown> {
  let place: string | undefined;
  // How often the list may start again; and go on elsewhere, before another page has come.
  let restarts = 1;
  let detours = 1;
  for (;;) {
    const reply = await connection.get(pathOf(resource, namespace, place, pageSize), signal);
    const page = fieldsAt(reply.body);
    const next = textAt(fieldsAt(page, 'metadata'), 'continue');
    const isGone = reply.status === GONE && place !== undefined;
    if (isGone && next !== undefined && detours > 0) {
      detours -= 1;
    } else if (isGone && restarts > 0) {
      restarts -= 1;
      place = undefined;
      continue;
    } else {
      if (!Array.isArray(page['items'])) throw refusal(reply, access, resource, namespace);
      yield* page['items'];
      if (next === undefined) return;
      detours = 1;
    }
    place = next;
  }
}

function pathOf(
  { group, version, plural }: Resource,
  namespace: string | undefined,
  place: string | undefined,
  pageSize: number,
): string {
  const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const query = new URLSearchParams({
    limit: `${pageSize}`,
    ...(place ? { continue: place } : {}),
  });
  return `${base}${scope}/${plural}?${query}`;
}

/** The error for an answer that holds no list. */
function refusal(
  { status, body }: Reply,
  access: Access,
  resource: Resource,
  namespace: string | undefined,
): ClusterError {
  const message = textAt(fieldsAt(body), 'message');
  const said = message === undefined ? `it answered ${status} without a list` : printable(message);
  const name = resourceName(resource);
  const place = namespace === undefined ? '' : ` in namespace ${namespace}`;
  const hint =
    status === 403
      ? `Ask for the right to list ${name}${place}, or choose others with -n.`
      : undefined;
  return new ClusterError(
    reasonOf(status),
    `cannot list ${name}${place}${ofContext(access)}: ${said}`,
    { context: access.context, verb: 'list', resource: name, said, hint },
  );
}

function reasonOf(status: number): ClusterErrorReason {
  if (status === 403) return 'forbidden';
  return status === 404 ? 'missing' : 'refused';
}
