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
  /** Made when the first comes: hardly a flight is watched. */
  observers: Set<(event: Event) => void> | null;
};

const overtaken = new DOMException('An urgent asker started it anew.', 'AbortError');

export const createFlights = <Key, Value, Event = never>(): Flights<Key, Value, Event> => {
  const flights = new Map<Key, Flight<Value, Event>>();

  const remove = (key: Key, flight: Flight<Value, Event>): void => {
    if (flights.get(key) === flight) flights.delete(key);
  };

  const fly = (key: Key, flight: Flight<Value, Event>, run: Run<Value, Event>): void => {
    const { controller, deadline, landing } = flight;
    const isCurrent = () => flight.controller === controller;
    const publish = (event: Event) => {
      if (flight.observers !== null && isCurrent()) for (const observe of flight.observers) observe(event);
    };
    run({ signal: controller.signal, deadline, publish }).then(
      (value) => {
        if (!isCurrent()) return;
        remove(key, flight);
        landing.resolve(value);
      },
      (error: unknown) => {
        if (!isCurrent()) return;
        remove(key, flight);
        landing.reject(error);
      },
    );
  };

  const start = (key: Key, { isUrgent, deadline }: Asker<Event>): Flight<Value, Event> => {
    const flight: Flight<Value, Event> = {
      landing: Promise.withResolvers<Value>(),
      controller: new AbortController(),
      isUrgent,
      deadline,
      askers: 0,
      observers: null,
    };
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
      if (observe) {
        flight.observers ??= new Set();
        flight.observers.add(observe);
      }
      const landed = new Promise<Value>((resolve, reject) => {
        const leave = () => {
          flight.askers -= 1;
          if (observe) flight.observers?.delete(observe);
          if (flight.askers === 0) {
            // A later asker must start anew, not join a run that was told to end.
            remove(key, flight);
            flight.controller.abort(signal.reason);
          }
          reject(signal.reason);
        };
        signal.addEventListener('abort', leave, { once: true });
        flight.landing.promise.then(
          (value) => {
            signal.removeEventListener('abort', leave);
            resolve(value);
          },
          (error: unknown) => {
            signal.removeEventListener('abort', leave);
            reject(error);
          },
        );
      });
      if (known === undefined || overtakes) fly(key, flight, run);
      return landed;
    },
  };
};
