import { type Backoff, delayBefore } from './backoff.ts';
import { type Budget, budgetOf } from './budget.ts';
import { Crowding } from './crowding.ts';
import type { NetworkError } from './errors.ts';
import { type Profile, UNKNOWN } from './profile.ts';
import { Rate } from './rate.ts';
import { isThrottle, LONGEST_WAIT_MS, retryAfterMs } from './retry-after.ts';
import type { HttpRequest, HttpResponse } from './transport.ts';

/** A host is left alone for a while by everybody. */
export interface Wait {
  readonly host: string;
  /** what it answered; undefined where it cannot be reached */
  readonly status: number | undefined;
  readonly waitMs: number;
  /** the pulls that it grants, where it says so and they are used up */
  readonly budget?: Budget;
}

export interface PaceOptions {
  readonly host: string;
  readonly profile?: Profile;
  /** the most requests a second */
  readonly ceiling?: number | undefined;
  /** for how long a host that has answered before may be gone */
  readonly awayMs?: number | undefined;
  /** the pauses where nobody says how long to wait */
  readonly backoff?: Backoff | undefined;
  readonly onWait?: ((wait: Wait) => void) | undefined;
}

/** A request that may go now, and has to say how it went. */
export interface Turn {
  answered(response: HttpResponse): void;
  /** no answer came; without an error the request was given up */
  failed(error?: NetworkError): void;
}

/** What of a request decides when it may go. */
interface Kind {
  readonly writes: boolean;
  /** its body is read while it is sent: that may take an hour, and may need another request to the same host */
  readonly streams: boolean;
}

interface Waiter extends Kind {
  readonly go: () => void;
}

const BACKOFF: Backoff = { firstDelayMs: 400, maximumDelayMs: 16_000 };
// A refusal that is retried at once in vain says nothing new; so many in a row say that nobody is served.
const REFUSALS_IN_A_ROW = 10;
const AWAY_MS = 90_000;
// One broken connection is an accident, two in a row are a sign.
const LOSSES_IN_A_ROW = 2;
// Asking costs a host nothing that is not there.
const LONGEST_ABSENCE_MS = 5_000;
const NEWS_MS = 1_000;
// A host that wants to refuse an upload does so before it has taken much of it.
const TRIAL_MS = 1_000;
const GATEWAY_TROUBLE = new Set([502, 504]);
const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * How fast one host is asked. What one request is told holds for all: after a refusal (429, 503) everybody waits as
 * long as Retry-After says, or a moment that doubles; then one request goes ahead, and when it was taken the others
 * follow, fewer at a time and fewer a second than before, and slowly more again. The same where the host cannot be
 * reached.
 */
export class Pace {
  readonly #options: PaceOptions;
  readonly #rate: Rate;
  readonly #crowding: Crowding;
  readonly #writes: { readonly rate: Rate; readonly crowding: Crowding };
  readonly #waiting: Waiter[] = [];
  #openAt = 0;
  #trial: 'none' | 'due' | 'under way' = 'none';
  #timer: NodeJS.Timeout | undefined;
  #trialTimer: NodeJS.Timeout | undefined;
  #hasAnswered = false;
  #refusals = 0;
  #losses = 0;
  #awaySince: number | undefined;
  /** when the last refusal or loss was counted: those that began before it are the same one */
  #troubleAt = 0;
  #budget: Budget | undefined;

  constructor(options: PaceOptions) {
    const { profile = UNKNOWN, ceiling } = options;
    this.#options = options;
    this.#rate = new Rate(ceiling);
    this.#crowding = new Crowding();
    this.#writes = {
      rate: new Rate(profile.writesPerSecond),
      crowding: new Crowding(profile.writesAtOnce),
    };
  }

  /** Whether a request that went wrong now may go better later, although it was retried often enough already. */
  get isPatient(): boolean {
    if (this.#refusals > 0) return this.#refusals < REFUSALS_IN_A_ROW;
    const { awayMs = AWAY_MS } = this.#options;
    return this.#awaySince !== undefined && Date.now() - this.#awaySince < awayMs;
  }

  /** Waits for a request's turn; one that comes again goes before all others. */
  async enter({ method, signal, body }: HttpRequest, again: boolean): Promise<Turn> {
    signal?.throwIfAborted();
    const kind = { writes: WRITES.has(method), streams: typeof body === 'function' };
    if (this.#waiting.length > 0 || this.#freeAt(kind, Date.now()) > Date.now())
      await this.#wait(kind, again, signal);
    else this.#take(kind);
    return this.#turn(kind);
  }

  #wait(kind: Kind, again: boolean, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        this.#admit();
        reject(signal?.reason);
      };
      const go = () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const waiter = { ...kind, go };
      if (again) this.#waiting.unshift(waiter);
      else this.#waiting.push(waiter);
      signal?.addEventListener('abort', stop, { once: true });
      this.#admit();
    });
  }

  /** Lets go who may. */
  #admit(): void {
    clearTimeout(this.#timer);
    const now = Date.now();
    let next = Number.POSITIVE_INFINITY;
    for (const waiter of [...this.#waiting]) {
      const at = this.#freeAt(waiter, now);
      next = Math.min(next, at > now ? at : next);
      if (at > now) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      this.#take(waiter);
      waiter.go();
    }
    if (Number.isFinite(next)) this.#timer = setTimeout(() => this.#admit(), next - now);
  }

  /** When the next request may go; infinite where the end of another one decides that. */
  #freeAt({ writes, streams }: Kind, now: number): number {
    const never = Number.POSITIVE_INFINITY;
    if (this.#openAt > now) return this.#openAt;
    if (this.#trial === 'under way' || (!streams && this.#crowding.isFull)) return never;
    if (writes && this.#writes.crowding.isFull) return never;
    return Math.max(this.#rate.freeAt(now), writes ? this.#writes.rate.freeAt(now) : 0);
  }

  #take({ writes, streams }: Kind): void {
    const now = Date.now();
    if (this.#trial === 'due') this.#try(streams);
    if (!streams) this.#crowding.enter();
    this.#rate.take(now);
    if (!writes) return;
    this.#writes.crowding.enter();
    this.#writes.rate.take(now);
  }

  #try(streams: boolean): void {
    this.#trial = 'under way';
    clearTimeout(this.#trialTimer);
    if (!streams) return;
    this.#trialTimer = setTimeout(() => {
      if (this.#trial === 'under way') this.#trial = 'none';
      this.#admit();
    }, TRIAL_MS);
  }

  #turn({ writes, streams }: Kind): Turn {
    const begunAt = Date.now();
    const isTrial = this.#trial === 'under way';
    const end = (note: () => void): void => {
      if (isTrial && this.#trial === 'under way') this.#trial = 'due';
      if (isTrial) clearTimeout(this.#trialTimer);
      note();
      if (!streams) this.#crowding.leave();
      if (writes) this.#writes.crowding.leave();
      if (this.#waiting.length > 0) this.#admit();
    };
    return {
      answered: (response) =>
        end(() => {
          this.#budget = budgetOf(response) ?? this.#budget;
          if (isThrottle(response)) this.#refuse(response, begunAt, writes);
          else if (GATEWAY_TROUBLE.has(response.status)) this.#lose(response, begunAt);
          else this.#accept(writes);
          const told = retryAfterMs(response) ?? 0;
          if (!isThrottle(response) && told <= LONGEST_WAIT_MS && told > 0)
            this.#hold(told, response.status, true);
        }),
      failed: (error) =>
        end(() => {
          const isAway = this.#awaySince !== undefined;
          if (error && (error.unreachable || isAway)) this.#lose(undefined, begunAt);
        }),
    };
  }

  #accept(writes: boolean): void {
    this.#hasAnswered = true;
    this.#trial = 'none';
    this.#refusals = 0;
    this.#losses = 0;
    this.#awaySince = undefined;
    this.#crowding.accept();
    const now = Date.now();
    this.#rate.accept(now);
    if (writes) this.#writes.rate.accept(now);
  }

  #refuse(response: HttpResponse, begunAt: number, writes: boolean): void {
    const now = Date.now();
    const told = retryAfterMs(response);
    // No pull is left, and nobody says when there will be: what is no pull may go on as before.
    if (told === undefined && this.#budget?.left === 0) return;
    const isNew = begunAt >= this.#troubleAt;
    if (isNew) {
      this.#refusals += 1;
      this.#troubleAt = now;
      // While nobody is served there is nothing to learn about how many could be.
      if (this.#refusals === 1) {
        this.#crowding.cut();
        // What limits writes alone is not to slow reads down.
        const own = writes && Number.isFinite(this.#writes.rate.perSecond);
        (own ? this.#writes.rate : this.#rate).cut(now);
      }
    } else if (told === undefined) return;
    // Nobody waits for hours; the error says until when.
    if (told !== undefined && told > LONGEST_WAIT_MS) this.#refusals = REFUSALS_IN_A_ROW;
    if (!this.isPatient) return;
    // Zero, and a date that a clock puts into the past, say nothing once they were wrong.
    const least = this.#refusals > 1 ? this.#pauseBefore(this.#refusals - 1) : 0;
    const waitMs = told === undefined ? this.#pauseBefore(this.#refusals) : Math.max(told, least);
    this.#hold(waitMs, response.status, told !== undefined);
  }

  #lose(response: HttpResponse | undefined, begunAt: number): void {
    if (begunAt < this.#troubleAt) return;
    const now = Date.now();
    this.#troubleAt = now;
    this.#losses += 1;
    // A host that never answered is probably a wrong one.
    if (!this.#hasAnswered || this.#losses < LOSSES_IN_A_ROW) return;
    this.#awaySince ??= now;
    const pauseMs = this.#pauseBefore(this.#losses - LOSSES_IN_A_ROW + 1);
    const waitMs = Math.min(pauseMs, LONGEST_ABSENCE_MS);
    if (this.isPatient) this.#hold(waitMs, response?.status, false);
    // Nobody waits for it any more: who fails may fail at once, and not one after the other.
    else this.#trial = 'none';
  }

  #hold(waitMs: number, status: number | undefined, told: boolean): void {
    const now = Date.now();
    const isNews = this.#openAt <= now && (told ? waitMs > 0 : waitMs >= NEWS_MS);
    this.#openAt = Math.max(this.#openAt, now + waitMs);
    this.#trial = 'due';
    const { host, onWait } = this.#options;
    const budget = this.#budget?.left === 0 ? { budget: this.#budget } : {};
    if (isNews) onWait?.({ host, status, waitMs, ...budget });
  }

  /** The pause after trouble number `count` (from 1) in a row. */
  #pauseBefore(count: number): number {
    const { backoff = BACKOFF } = this.#options;
    return delayBefore(count - 1, backoff);
  }
}

/** The paces of all hosts; each has one, whoever asks. */
export class Paces {
  readonly #make: (host: string) => Pace;
  readonly #paces = new Map<string, Pace>();

  constructor(make: (host: string) => Pace) {
    this.#make = make;
  }

  of({ host }: URL): Pace {
    const pace = this.#paces.get(host) ?? this.#make(host);
    this.#paces.set(host, pace);
    return pace;
  }
}
