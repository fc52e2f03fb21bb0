import { type Sound, secondBytes } from "../../contract/pack.ts"
import type { Content } from "../lib/content.ts"
import { Icon } from "../ui/Icon.tsx"
import type { usePlayer } from "./usePlayer.ts"

export const seconds = (bytes: number, sound: Sound) => `${(bytes / secondBytes(sound)).toFixed(1)} s`

/** Play and pause, the time, loop and volume. */
export function Transport(props: {
  player: ReturnType<typeof usePlayer>
  content: Content
  sound: Sound
  total: number | undefined
}) {
  const { player, content, sound, total } = props
  const { playing, waiting, byte } = player.state
  return (
    <>
      <button
        type="button"
        data-play
        data-gaps={player.gaps}
        disabled={!content.length && total === undefined}
        onClick={player.toggle}
      >
        <Icon name={playing ? "pause" : "play"} filled={!playing} /> {playing ? "Pause" : "Play"}
      </button>
      <span className="count" role={waiting ? "status" : undefined}>
        {waiting && total !== undefined ? "Plays as soon as it will not stop · " : ""}
        {byte || playing ? `${seconds(byte, sound)} of ` : ""}
        {seconds(content.length, sound)}
      </span>
      <button
        type="button"
        className="icon-button"
        aria-label="Repeat"
        title="Repeat"
        aria-pressed={player.loop}
        onClick={() => player.setLoop(!player.loop)}
      >
        <Icon name="loop" />
      </button>
      <label className="volume">
        <Icon name="volume" />
        <input
          type="range"
          aria-label="Volume"
          min={0}
          max={1}
          step={0.05}
          value={player.volume}
          onChange={(e) => player.setVolume(Number(e.target.value))}
        />
      </label>
    </>
  )
}
