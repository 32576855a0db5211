/**
 * Single flight: concurrent askers of one key share one run. An asker who leaves (abort) harms nobody; when the
 * last one has left, the run itself is aborted. An urgent asker who finds a run that is not urgent starts it anew,
 * urgently, for everybody: what the first run had asked may be asked once more, but nobody who waits in person stands
 * in the queue of a list.
 */
export type Asker<Event> = {
  readonly signal: AbortSignal;
  readonly isUrgent: boolean;
  /** Epoch milliseconds until which the asker waits: a run that is started anew has the latest of its askers'. */
  readonly deadline: number;
  /** Told of what the run publishes from now on. */
  readonly observe?: ((event: Event) => void) | undefined;
};

export type Run<Value, Event> = (flight: {
  readonly signal: AbortSignal;
  readonly deadline: number;
  readonly publish: (event: Event) => void;
}) => Promise<Value>;

export type Flights<Key, Value, Event> = {
  /**
   * Joins the run under way for the key, or starts one. Rejects with the signal's reason as soon as the asker
   * leaves; rejects as the run does when the run fails.
   */
  join(key: Key, asker: Asker<Event>, run: Run<Value, Event>): Promise<Value>;
  readonly size: number;
};

type Flight<Value, Event> = {
  readonly landing: PromiseWithResolvers<Value>;
  /** Of the run that counts. */
  controller: AbortController;
  isUrgent: boolean;
  deadline: number;
  askers: number;
  readonly observers: Set<(event: Event) => void>;
};

const overtaken = new DOMException('An urgent asker started it anew.', 'AbortError');

export const createFlights = <Key, Value, Event = never>(): Flights<Key, Value, Event> => {
  const flights = new Map<Key, Flight<Value, Event>>();

  const fly = (flight: Flight<Value, Event>, run: Run<Value, Event>): void => {
    const { controller, deadline, landing, observers } = flight;
    const isCurrent = () => flight.controller === controller;
    const publish = (event: Event) => {
      if (isCurrent()) for (const observe of observers) observe(event);
    };
    run({ signal: controller.signal, deadline, publish }).then(
      (value) => isCurrent() && landing.resolve(value),
      (error: unknown) => isCurrent() && landing.reject(error),
    );
  };

  const start = (key: Key, { isUrgent, deadline }: Asker<Event>): Flight<Value, Event> => {
    const landing = Promise.withResolvers<Value>();
    const flight: Flight<Value, Event> = {
      landing,
      controller: new AbortController(),
      isUrgent,
      deadline,
      askers: 0,
      observers: new Set(),
    };
    const land = () => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    // Every asker may have left before the run fails: the rejection then has no reader, and that is meant.
    landing.promise.then(land, land);
    flights.set(key, flight);
    return flight;
  };

  const overtake = (flight: Flight<Value, Event>, { deadline }: Asker<Event>): void => {
    const { controller } = flight;
    flight.controller = new AbortController();
    flight.isUrgent = true;
    flight.deadline = Math.max(flight.deadline, deadline);
    controller.abort(overtaken);
  };

  return {
    get size() {
      return flights.size;
    },
    join: (key, asker, run) => {
      const { signal, observe } = asker;
      if (signal.aborted) return Promise.reject(signal.reason);
      const known = flights.get(key);
      const flight = known ?? start(key, asker);
      const overtakes = known !== undefined && asker.isUrgent && !known.isUrgent;
      if (overtakes) overtake(flight, asker);
      flight.askers += 1;
      if (observe) flight.observers.add(observe);
      const landed = new Promise<Value>((resolve, reject) => {
        const leave = () => {
          flight.askers -= 1;
          if (observe) flight.observers.delete(observe);
          if (flight.askers === 0) {
            // A later asker must start anew, not join a run that was told to end.
            if (flights.get(key) === flight) flights.delete(key);
            flight.controller.abort(signal.reason);
          }
          reject(signal.reason);
        };
        signal.addEventListener('abort', leave, { once: true });
        flight.landing.promise
          .finally(() => signal.removeEventListener('abort', leave))
          .then(resolve, reject);
      });
      if (known === undefined || overtakes) fly(flight, run);
      return landed;
    },
  };
};
