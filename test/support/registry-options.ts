import type { Certificates } from './certificates.ts';
import type { FaultAnswer } from './registry-faults.ts';
import type { User } from './registry-users.ts';
import type { TokenOptions } from './token-server.ts';

/** How an in-process registry is to be; without any it is like distribution, without login and without TLS. */
export interface RegistryOptions {
  readonly auth?: 'none' | 'basic' | 'token';
  /** default: one user who may push, {@link PUSHER}, and one who may pull, {@link READER} */
  readonly users?: readonly User[];
  /** who does not log in may pull */
  readonly anonymousPull?: boolean;
  /** with `auth: 'token'`: what is to be special about its token server */
  readonly tokens?: TokenOptions;
  readonly tls?: Certificates;
  /** Location headers without scheme and host */
  readonly relativeLocations?: boolean;
  /** the most tags that one page holds; default: as many as the client asks for, as distribution does */
  readonly pageSize?: number;
  /**
   * Whether a broken upload can be taken up where it stopped (default), as the specification says. Not so
   * in distribution 2.8: it refuses a Location that was given for fewer bytes than the session holds, also
   * to who only asks how many there are.
   */
  readonly resumable?: boolean;
  /** the referrers API is there, and a manifest with a subject is answered with OCI-Subject */
  readonly referrers?: boolean;
  /** Whether a manifest is refused whose parts are missing; default true. */
  readonly checkParts?: boolean;
  /** Whether a blob is refused whose bytes are not those of its digest; default true. */
  readonly checkDigests?: boolean;
  /** What a registry of this kind says to a manifest of this media type that it does not take. */
  readonly refuseManifest?: (
    mediaType: string,
    repository: string,
    reference: string,
  ) => FaultAnswer | undefined;
  /** a tag that exists cannot be moved to another digest */
  readonly immutableTags?: boolean;
  /** repositories must be made before a push, as in ECR; a push to others is 404 */
  readonly repositories?: readonly string[];
}
