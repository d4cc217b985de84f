// One constructor for each message that the page can send; nothing else builds wire messages.
import type {
  Drive,
  Hello,
  Knock,
  LeaseAcquire,
  LeaseAnswer,
  LeaseAsk,
  LeaseGive,
  LeaseReturn,
  LeaseTake,
  Ping,
  Release,
  RoomAnswer,
  RoomCurtain,
  RoomMicrophone,
  Stop,
  Talk,
  TalkOver,
} from "./messages";

/** The first message on a socket; `clock` is the page's own clock in milliseconds. */
export const hello = (clock: number): Hello => ({ type: "hello", clock });

/** Keeps the lease and measures the round trip. */
export const ping = (clock: number): Ping => ({ type: "ping", clock });

/** The present setpoint of a hold. */
export const drive = (fields: Omit<Drive, "type">): Drive => ({ type: "drive", ...fields });

/** The visitor released this hold. */
export const release = (fields: Omit<Release, "type">): Release => ({ type: "release", ...fields });

/** Stop everything, whoever drives. */
export const stop = (): Stop => ({ type: "stop" });

/** Ask to drive, if nobody does. */
export const acquireLease = (): LeaseAcquire => ({ type: "lease.acquire" });

/** Drive instead of whoever drives now. */
export const takeLease = (): LeaseTake => ({ type: "lease.take" });

/** Ask the driver for the lease. */
export const askForLease = (): LeaseAsk => ({ type: "lease.ask" });

/** Answer one who asks for the lease. */
export const answerAsker = (asker: string, granted: boolean): LeaseAnswer => ({
  type: "lease.answer",
  asker,
  granted,
});

/** Give the lease to one who has not asked. */
export const giveLease = (to: string): LeaseGive => ({ type: "lease.give", to });

/** Let others drive. */
export const returnLease = (): LeaseReturn => ({ type: "lease.return" });

/** Ask the room to be let in. */
export const knock = (): Knock => ({ type: "knock" });

/** Close or open the room's curtain. */
export const setCurtain = (closed: boolean): RoomCurtain => ({ type: "room.curtain", closed });

/** Switch the room's microphone off or on. */
export const setMicrophone = (off: boolean): RoomMicrophone => ({ type: "room.microphone", off });

/** Ask the room to hear this visitor, or to go on. */
export const talk = (mode: Talk["mode"]): Talk => ({ type: "talk", mode });

/** The room is to hear this visitor no more. */
export const endTalk = (): TalkOver => ({ type: "talk.end" });

/** Let a person in, or send the person away. */
export const answerPerson = (person: string, answer: RoomAnswer["answer"]): RoomAnswer => ({
  type: "room.answer",
  person,
  answer,
});
