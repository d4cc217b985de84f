// Amazon's SDK, and all that is known of it here: a chunk of its own, loaded when a house watches through Amazon IVS.
import {
  InitialLayerPreference,
  Stage,
  StageEvents,
  StageLeftReason,
  type StageParticipantInfo,
  type StageStrategy,
  SubscribeType,
} from "amazon-ivs-web-broadcast";
import type { IvsStage, IvsStageEvents } from "./ivs";

/** Sees the camera, and nobody else; sends nothing. The delay of the jitter buffer stays the smallest, its default. */
const strategy: StageStrategy = {
  stageStreamsToPublish: () => [],
  shouldPublishParticipant: () => false,
  shouldSubscribeToParticipant: (participant) =>
    isCamera(participant) ? SubscribeType.AUDIO_VIDEO : SubscribeType.NONE,
  subscribeConfiguration: () => ({
    simulcast: { initialLayerPreference: InitialLayerPreference.HIGHEST_QUALITY }, // by default the lowest
  }),
};

function isCamera({ isLocal, attributes }: StageParticipantInfo): boolean {
  return !isLocal && attributes["role"] === "camera";
}

export function openStage(token: string, events: IvsStageEvents): IvsStage {
  const stage = new Stage(token, strategy);
  stage.on(StageEvents.STAGE_PARTICIPANT_STREAMS_ADDED, (participant, streams) => {
    if (isCamera(participant)) {
      events.onTracks(
        participant.id,
        streams.map(({ mediaStreamTrack }) => mediaStreamTrack),
      );
    }
  });
  stage.on(StageEvents.STAGE_PARTICIPANT_STREAMS_REMOVED, ({ id }) => events.onGone(id));
  stage.on(StageEvents.STAGE_PARTICIPANT_LEFT, ({ id }) => events.onGone(id));
  stage.on(StageEvents.STAGE_LEFT, (reason) => {
    if (reason !== StageLeftReason.USER_INITIATED) {
      events.onLeft();
    }
  });
  return stage;
}
