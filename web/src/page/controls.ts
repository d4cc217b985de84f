// What is over the picture beside the buttons that leave and stop: loaded while the picture is on its way, so that it does
// not delay that.
export { SoundButton } from "../voice/sound-button";
export { VoiceCorner } from "../voice/voice-corner";
export { ConnectionPanel } from "./connection-panel";
export { HandoverPanel } from "./handover-panel";
export { StillButton } from "./still-button";
