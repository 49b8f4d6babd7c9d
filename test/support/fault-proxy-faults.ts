import { type Fault, type FaultSubject, FaultTable } from './registry-faults.ts';

/** What goes wrong between a client and any registry: all that an in-process one does, and this. */
export interface ProxyFault extends Fault {
  /** how Location and Link are written; `elsewhere`: under another origin, which leads back here */
  readonly address?: 'relative' | 'absolute' | 'with a query' | 'elsewhere';
  /** the connection stays open, but no more than so many bytes of the request's body are read */
  readonly stallUploadAfter?: number;
  /** the byte at this offset of the request's body is wrong when the registry gets it */
  readonly corruptUploadAt?: number;
  /** a list of tags comes in pages of so many */
  readonly pageSize?: number;
  /** nothing listens from now on, for so many milliseconds; infinite: until the test says so */
  readonly away?: number;
  /** it ends so many milliseconds after it first happened */
  readonly lasts?: number;
}

type Where = NonNullable<Fault['where']>;

/** The faults of one proxy. */
export class ProxyFaults extends FaultTable {
  readonly #lasting = new Map<Fault, Fault>();

  override add(...faults: readonly ProxyFault[]): void {
    for (const fault of faults) {
      if (fault.lasts !== undefined)
        this.#lasting.set(fault, { ...fault, where: during(fault.lasts, fault.where) });
      super.add(this.#lasting.get(fault) ?? fault);
    }
  }

  override applied(fault?: ProxyFault): number {
    return super.applied(fault && (this.#lasting.get(fault) ?? fault));
  }

  override pick(subject: FaultSubject): ProxyFault | undefined {
    return super.pick(subject);
  }
}

function during(ms: number, where: Where = () => true): Where {
  let endsAt: number | undefined;
  return (subject) => {
    if (!where(subject)) return false;
    endsAt ??= Date.now() + ms;
    return Date.now() < endsAt;
  };
}
