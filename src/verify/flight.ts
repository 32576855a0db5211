/**
 * Single flight: concurrent askers of one key share one run. An asker who leaves (abort) harms nobody; when the
 * last one has left, the run itself is aborted.
 */
export type Flights<Key, Value> = {
  /**
   * Joins the run under way for the key, or starts one. Rejects with the signal's reason as soon as the asker
   * leaves; rejects as the run does when the run fails.
   */
  join(key: Key, signal: AbortSignal, run: (signal: AbortSignal) => Promise<Value>): Promise<Value>;
  readonly size: number;
};

type Flight<Value> = {
  readonly landing: Promise<Value>;
  readonly controller: AbortController;
  askers: number;
};

export const createFlights = <Key, Value>(): Flights<Key, Value> => {
  const flights = new Map<Key, Flight<Value>>();

  const start = (key: Key, run: (signal: AbortSignal) => Promise<Value>): Flight<Value> => {
    const controller = new AbortController();
    const flight: Flight<Value> = {
      controller,
      askers: 0,
      landing: run(controller.signal).finally(() => {
        if (flights.get(key) === flight) flights.delete(key);
      }),
    };
    // Every asker may have left before the run fails: the rejection then has no reader, and that is meant.
    flight.landing.catch(() => undefined);
    flights.set(key, flight);
    return flight;
  };

  return {
    get size() {
      return flights.size;
    },
    join: (key, signal, run) => {
      if (signal.aborted) return Promise.reject(signal.reason);
      const flight = flights.get(key) ?? start(key, run);
      flight.askers += 1;
      return new Promise<Value>((resolve, reject) => {
        const leave = () => {
          flight.askers -= 1;
          if (flight.askers === 0) {
            // A later asker must start anew, not join a run that was told to end.
            if (flights.get(key) === flight) flights.delete(key);
            flight.controller.abort(signal.reason);
          }
          reject(signal.reason);
        };
        signal.addEventListener('abort', leave, { once: true });
        flight.landing.finally(() => signal.removeEventListener('abort', leave)).then(resolve, reject);
      });
    },
  };
};
