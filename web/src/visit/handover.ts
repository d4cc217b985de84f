// How this page asks for the camera, answers those who ask, and hands it over; or only watches.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Driver } from "../drive/driver";
import type { Cancel, Timers } from "../time/timers";
import type { ClientMessage, LeaseAnswered, LeaseOffers } from "../wire/messages";
import { answerAsker, askForLease, giveLease } from "../wire/outgoing";

/** How long the answer to a question is shown: time enough to read two lines. */
const ANSWER_SHOWN_MS = 8000;

export interface Offers extends Pick<LeaseOffers, "asking" | "watching"> {}

const NO_OFFERS: Offers = { asking: [], watching: [] };

export interface HandoverPorts {
  readonly timers: Pick<Timers, "after">;
  readonly driver: Pick<Driver, "returnLease">;
  send(message: ClientMessage): void;
}

export class Handover {
  readonly #ports: HandoverPorts;
  readonly #offers = signal(NO_OFFERS);
  readonly #answer = signal<LeaseAnswered["answer"] | null>(null);
  readonly #isWatchOnly = signal(false);
  #cancelAnswer: Cancel = () => {};

  constructor(ports: HandoverPorts) {
    this.#ports = ports;
  }

  /** While this page drives: who asks for the camera, and who else could have it. */
  get offers(): ReadonlySignal<Offers> {
    return this.#offers;
  }

  /** How this page's newest question ended, for as long as that is shown. */
  get answer(): ReadonlySignal<LeaseAnswered["answer"] | null> {
    return this.#answer;
  }

  /** Whether the visitor chose to only watch: then nothing on this page moves the head. */
  get isWatchOnly(): ReadonlySignal<boolean> {
    return this.#isWatchOnly;
  }

  /** May I? */
  ask(): void {
    this.#showAnswer(null);
    this.#ports.send(askForLease());
  }

  /** Answers one who asks. */
  reply(asker: string, isGranted: boolean): void {
    this.#ports.send(answerAsker(asker, isGranted));
  }

  /** Here you are: gives the camera to one who has not asked. */
  give(to: string): void {
    this.#ports.send(giveLease(to));
  }

  /** From now on the visitor only watches, or may drive again. */
  watchOnly(isWatchOnly: boolean): void {
    this.#isWatchOnly.value = isWatchOnly;
    if (isWatchOnly) {
      this.#ports.driver.returnLease();
    }
  }

  receiveOffers({ asking, watching }: Offers): void {
    this.#offers.value = { asking, watching };
  }

  receiveAnswer(answer: LeaseAnswered["answer"]): void {
    this.#showAnswer(answer);
    this.#cancelAnswer = this.#ports.timers.after(ANSWER_SHOWN_MS, () => this.#showAnswer(null));
  }

  /** The socket is closed: questions end with it. */
  receiveDisconnected(): void {
    this.#offers.value = NO_OFFERS;
    this.#showAnswer(null);
  }

  #showAnswer(answer: LeaseAnswered["answer"] | null): void {
    this.#cancelAnswer();
    this.#answer.value = answer;
  }
}
