/**
 * Single flight: concurrent askers of one key share one run. An asker who leaves (abort, or no more patience) harms
 * nobody; when the last one has left, the run itself is aborted. An urgent asker who finds a run that is not urgent
 * starts it anew, urgently, for everybody: what the first run had asked may be asked once more, but nobody who waits in
 * person stands in the queue of a list.
 */
import { createDepartures, type Leaver } from './departures.ts';

export type Asker<Event> = {
  readonly signal: AbortSignal;
  /** Milliseconds after which it leaves by itself, or a hundredth of a second later. Default: it stays. */
  readonly patienceMs?: number;
  readonly isUrgent: boolean;
  /** Epoch milliseconds until which the asker waits: a run that is started anew has the latest of its askers'. */
  readonly deadline: number;
  /** Told of what the run publishes from now on. */
  readonly observe?: ((event: Event) => void) | undefined;
};

export type Run<Value, Event> = (flight: {
  readonly signal: AbortSignal;
  readonly deadline: number;
  /** Does somebody hear what is published? Hardly a run is watched, and then nothing needs to be said. */
  readonly isWatched: boolean;
  publish(event: Event): void;
}) => Promise<Value>;

export type Flights<Key, Value, Event> = {
  /**
   * Joins the run under way for the key, or starts one. Rejects as soon as the asker leaves, with the signal's reason
   * or `timeIsUp`; rejects as the run does when the run fails.
   */
  join(key: Key, asker: Asker<Event>, run: Run<Value, Event>): Promise<Value>;
  readonly size: number;
};

/** One asker in a flight. */
type Seat<Key, Value, Event> = Leaver & {
  readonly flight: Flight<Key, Value, Event>;
  readonly observe: ((event: Event) => void) | undefined;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
};

/** One run of a flight, as the run sees it; overtaken, it is heard no more. */
class Leg<Key, Value, Event> {
  readonly controller = new AbortController();
  readonly deadline: number;
  readonly #flight: Flight<Key, Value, Event>;

  constructor(flight: Flight<Key, Value, Event>, deadline: number) {
    this.#flight = flight;
    this.deadline = deadline;
  }
  get signal(): AbortSignal {
    return this.controller.signal;
  }
  get isWatched(): boolean {
    return this.#flight.isWatched && this.#flight.leg === this;
  }
  publish(event: Event): void {
    if (this.isWatched) for (const { observe } of this.#flight.seats) observe?.(event);
  }
}

class Flight<Key, Value, Event> {
  readonly key: Key;
  readonly seats = new Set<Seat<Key, Value, Event>>();
  /** The run that counts. */
  leg: Leg<Key, Value, Event>;
  isUrgent: boolean;
  /** Did anybody ever watch? */
  isWatched = false;

  constructor(key: Key, { isUrgent, deadline }: Asker<Event>) {
    this.key = key;
    this.isUrgent = isUrgent;
    this.leg = new Leg(this, deadline);
  }
}

const overtaken = new DOMException('An urgent asker started it anew.', 'AbortError');

export const createFlights = <Key, Value, Event = never>(): Flights<Key, Value, Event> => {
  type OwnFlight = Flight<Key, Value, Event>;
  type OwnSeat = Seat<Key, Value, Event>;
  const flights = new Map<Key, OwnFlight>();

  const remove = (flight: OwnFlight): void => {
    if (flights.get(flight.key) === flight) flights.delete(flight.key);
  };

  const departures = createDepartures<OwnSeat>((seat, reason) => {
    const { flight } = seat;
    departures.forget(seat);
    flight.seats.delete(seat);
    if (flight.seats.size === 0) {
      // A later asker must start anew, not join a run that was told to end.
      remove(flight);
      flight.leg.controller.abort(reason);
    }
    seat.reject(reason);
  });

  const fly = (flight: OwnFlight, run: Run<Value, Event>): void => {
    const { leg } = flight;
    run(leg).then(
      (value) => {
        if (flight.leg !== leg) return;
        remove(flight);
        for (const seat of flight.seats) {
          departures.forget(seat);
          seat.resolve(value);
        }
      },
      (error: unknown) => {
        if (flight.leg !== leg) return;
        remove(flight);
        for (const seat of flight.seats) {
          departures.forget(seat);
          seat.reject(error);
        }
      },
    );
  };

  const start = (key: Key, asker: Asker<Event>): OwnFlight => {
    const flight: OwnFlight = new Flight(key, asker);
    flights.set(key, flight);
    return flight;
  };

  const overtake = (flight: OwnFlight, { deadline }: Asker<Event>): void => {
    const { controller, deadline: longest } = flight.leg;
    flight.leg = new Leg(flight, Math.max(longest, deadline));
    flight.isUrgent = true;
    controller.abort(overtaken);
  };

  return {
    get size() {
      return flights.size;
    },
    join: (key, asker, run) => {
      const { signal, observe, patienceMs } = asker;
      if (signal.aborted) return Promise.reject(signal.reason);
      const known = flights.get(key);
      const flight = known ?? start(key, asker);
      const overtakes = known !== undefined && asker.isUrgent && !known.isUrgent;
      if (overtakes) overtake(flight, asker);
      const landed = new Promise<Value>((resolve, reject) => {
        const seat = { flight, signal, observe, resolve, reject, dueAt: 0 };
        flight.seats.add(seat);
        departures.watch(seat, patienceMs);
      });
      if (observe) flight.isWatched = true;
      if (known === undefined || overtakes) fly(flight, run);
      return landed;
    },
  };
};
