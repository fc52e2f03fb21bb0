import { useMemo } from "react"
import { type Sound, sampleBytes } from "../../contract/pack.ts"
import { Content } from "../lib/content.ts"
import { seconds, Transport } from "./Transport.tsx"
import { usePlayer } from "./usePlayer.ts"
import { Wave } from "./Wave.tsx"

/** A sound to go on from: a click, or the slider, chooses the time from which it is made anew. */
export function SoundPrompt(props: { bytes: Uint8Array; sound: Sound; kept: number; onKept: (bytes: number) => void }) {
  const { bytes, sound, kept, onKept } = props
  const content = useMemo(() => {
    const whole = new Content(false)
    whole.append(bytes, new Float32Array(bytes.length).fill(-1))
    return whole
  }, [bytes])
  const player = usePlayer(content, sound, undefined)
  const { byte, playing } = player.state
  const step = sampleBytes(sound)
  return (
    <div className="sound">
      <Wave
        content={content}
        version={0}
        sound={sound}
        given={kept}
        heat={false}
        usual={1}
        heard={byte || playing ? byte : undefined}
        label="The sound to go on from"
        onPick={(byte) => onKept(byte - (byte % step))}
      />
      <label className="field keep-rows">
        <span>
          Keep the first{" "}
          <output>
            {seconds(kept, sound)} of {seconds(bytes.length, sound)}
          </output>
        </span>
        <input
          type="range"
          aria-label="Time to keep"
          min={0}
          max={bytes.length}
          step={Math.max(step, Math.floor(sound.rate / 10) * step)}
          value={kept}
          onChange={(e) => onKept(Number(e.target.value))}
        />
      </label>
      <div className="actions">
        <Transport player={player} content={content} sound={sound} total={undefined} />
      </div>
    </div>
  )
}
