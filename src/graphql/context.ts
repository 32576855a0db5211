import { initContextCache } from '@pothos/core';
import type { DomainName, ExchangeHost, ParsedAddress } from '../address/index.ts';
import type { Dns, MailHosts, PolicyFileOptions } from '../dns/index.ts';
import {
  type Jobs,
  type JobsView,
  type ResultFormat,
  type Upload,
  type Uploads,
  type UploadsView,
  type Viewer,
  viewJobs,
  viewUploads,
} from '../jobs/index.ts';
import type { Greeting, Guard, Prober } from '../smtp/index.ts';
import type { Verification, Verifier } from '../verify/index.ts';
import type { Bill } from './bill.ts';
import { weights } from './field-cost.ts';
import { refuse } from './refusal.ts';

/** What the resolvers translate to GraphQL; `main` joins it. */
export type Services = {
  readonly verifier: Verifier;
  readonly dns: Dns;
  readonly prober: Prober;
  readonly jobs: Jobs;
  readonly uploads: Uploads;
  /** Is an address one that a mail server can have? For `MailExchange.addresses`. */
  readonly guard: Guard;
  /** For `Domain.mtaSts`, whose policy is a file on a web server; what is left out has the defaults of `dns`. */
  readonly policyFiles?: Omit<PolicyFileOptions, 'isAllowed'>;
  readonly gateway: {
    readonly version: string;
    readonly isSandbox: boolean;
    /** Does a gateway of Apollo Federation stand in front? Default: no. */
    readonly isFederated?: boolean;
  };
};

/** The same as one caller may see it: whatever is another's is like none, by whichever field it is asked for. */
export type ViewedServices = Omit<Services, 'jobs' | 'uploads'> & {
  readonly jobs: JobsView;
  readonly uploads: UploadsView;
};

export const viewServices = (services: Services, viewer: Viewer): ViewedServices => ({
  ...services,
  jobs: viewJobs(services.jobs, viewer),
  uploads: viewUploads(services.uploads, viewer),
});

/** What differs from one request to the next. */
type RequestPart = {
  /** Who asks: the id of an API key; null where there are none. */
  readonly owner: string | null;
  /** Which of those who share its key, as the visitors of a page do; null: nobody shares it. */
  readonly client: string | null;
  /** Stands in the response's header, in its errors and in the log. */
  readonly requestId: string;
  /** Ends when the client is gone or the gateway closes. */
  readonly signal: AbortSignal;
  /** A link that works without credentials until it expires. */
  readonly printResultsUrl: (jobId: string, format: ResultFormat) => string;
  /** Where the file is PUT, without credentials, until the upload expires. */
  readonly printUploadUrl: (upload: Upload) => string;
};

/** The request's own answers: the same question is asked once, whatever fields select it. */
export type Lookups = {
  /** Points of what was not asked because it was remembered, or asked for another field already. */
  readonly savedPoints: number;
  /** Rejects with TOO_MANY_ADDRESSES past the ceiling of one operation. */
  verify(parsed: ParsedAddress, maxAgeSeconds: number | null): Promise<Verification>;
  mailHosts(domain: DomainName): Promise<MailHosts>;
  /** Rejects with TOO_MANY_EXCHANGES past the ceiling of one operation. */
  greeting(host: ExchangeHost): Promise<Greeting | null>;
};

export type Context = RequestPart & {
  readonly services: ViewedServices;
  /** Null until the operation is charged. */
  bill: Bill | null;
  /** Replaced for every event of a subscription. */
  lookups: Lookups;
};

/**
 * Two for each address of a full page (`verification` and `mailbox` with another `maxAge`). The runaway: a
 * document of a thousand aliases that makes the gateway probe a thousand mailboxes.
 */
const mostVerifications = 200;

/** The runaway: a document of a thousand aliases that opens a session to a thousand hosts of the caller's choice. */
const mostGreetings = 20;

/** What a verdict took: a remembered one nothing, nor one that syntax or a limit decided. */
const pointsOf = ({ fromCache, evidence: { kind } }: Verification): number =>
  fromCache || kind === 'syntax' || kind === 'harvest' ? 0 : kind === 'dns' ? weights.dns : weights.smtp;

const createLookups = (
  { verifier }: Pick<Services, 'verifier'>,
  { owner, client, signal }: Pick<RequestPart, 'owner' | 'client' | 'signal'>,
): Lookups => {
  // Made when they are needed: most operations need none or one, and a subscription keeps them while it is silent.
  let verifications: Map<string, Promise<Verification>> | undefined;
  let hosts: Map<DomainName, Promise<MailHosts>> | undefined;
  let greetings: Map<ExchangeHost, Promise<Greeting | null>> | undefined;
  let savedPoints = 0;
  const ask = async (parsed: ParsedAddress, maxAgeSeconds: number | null): Promise<Verification> => {
    const verification = await verifier.verify(
      parsed,
      maxAgeSeconds === null
        ? { priority: 'interactive', owner, client, signal }
        : { priority: 'interactive', owner, client, signal, maxAgeSeconds },
    );
    savedPoints += weights.smtp - pointsOf(verification);
    return verification;
  };
  return {
    get savedPoints() {
      return savedPoints;
    },
    verify: (parsed, maxAgeSeconds) => {
      const text = parsed.kind === 'address' ? parsed.address.normalized : parsed.input;
      const key = maxAgeSeconds === null ? text : `${maxAgeSeconds} ${text}`;
      verifications ??= new Map();
      let verification = verifications.get(key);
      if (verification === undefined) {
        if (verifications.size >= mostVerifications)
          throw refuse('TOO_MANY_ADDRESSES', `One operation verifies at most ${mostVerifications} times.`, {
            limit: mostVerifications,
          });
        verification = ask(parsed, maxAgeSeconds);
        verifications.set(key, verification);
      } else savedPoints += weights.smtp;
      return verification;
    },
    mailHosts: (domain) => {
      hosts ??= new Map();
      let answer = hosts.get(domain);
      if (answer === undefined) {
        answer = verifier.lookupMailHosts(domain, signal);
        hosts.set(domain, answer);
      } else savedPoints += weights.dns;
      return answer;
    },
    greeting: (host) => {
      greetings ??= new Map();
      let greeting = greetings.get(host);
      if (greeting === undefined) {
        if (greetings.size >= mostGreetings)
          throw refuse('TOO_MANY_EXCHANGES', `One operation greets at most ${mostGreetings} exchanges.`, {
            limit: mostGreetings,
          });
        greeting = verifier.lookupGreeting(host, signal);
        greetings.set(host, greeting);
      } else savedPoints += weights.smtp;
      return greeting;
    },
  };
};

/** The context of one operation. */
export const createContext = (services: ViewedServices, part: RequestPart): Context => ({
  ...initContextCache(),
  ...part,
  services,
  bill: null,
  lookups: createLookups(services, part),
});

/** Forgets what earlier events of the same subscription looked up, DataLoaders included. */
export const renewContext = (context: Context): void => {
  Object.assign(context, initContextCache());
  context.lookups = createLookups(context.services, context);
};
