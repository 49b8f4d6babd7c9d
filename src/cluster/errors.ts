/** What went wrong: the first three end everything, the others concern one resource. */
export type ClusterErrorReason =
  /** a kubeconfig, a flag or a login program cannot be used */
  | 'configuration'
  /** no answer at all */
  | 'unreachable'
  /** the server does not know who asks */
  | 'unauthorized'
  | 'forbidden'
  /** the server has no such resource, or no such object */
  | 'missing'
  /** any other refusal, and answers that are none */
  | 'refused';

interface Circumstances {
  /** name of the kubeconfig context */
  readonly context?: string | undefined;
  /** what was asked: "list", "get" */
  readonly verb?: string | undefined;
  /** plural name, as in kubectl: "deployments.apps" */
  readonly resource?: string | undefined;
  /** the server's own words */
  readonly said?: string | undefined;
  /** what to do next, as a sentence */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** A cluster, or the way to it, that does not do what is asked. The message is one line. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  readonly reason: ClusterErrorReason;
  readonly context: string | undefined;
  readonly verb: string | undefined;
  readonly resource: string | undefined;
  readonly said: string | undefined;
  readonly hint: string | undefined;

  constructor(reason: ClusterErrorReason, message: string, circumstances: Circumstances = {}) {
    const { context, verb, resource, said, hint, cause } = circumstances;
    super(message, cause === undefined ? {} : { cause });
    this.reason = reason;
    this.context = context;
    this.verb = verb;
    this.resource = resource;
    this.said = said;
    this.hint = hint;
  }
}

/** Whether asking for something else makes no sense after this error. */
export function endsEverything(error: unknown): boolean {
  if (!(error instanceof ClusterError)) return true;
  return !['forbidden', 'missing', 'refused'].includes(error.reason);
}
