import { useEffect, useMemo, useState } from "react"
import { type Sound, secondBytes } from "../../contract/pack.ts"
import type { Content } from "../lib/content.ts"
import type { Pointing } from "../modality/view.ts"
import { NotesView } from "./NotesView.tsx"
import { isPlayed, rollOf } from "./roll.ts"
import { SpectrumView } from "./SpectrumView.tsx"
import { Transport } from "./Transport.tsx"
import { usePlayer } from "./usePlayer.ts"
import { Wave } from "./Wave.tsx"

const looks = { wave: "Wave", spectrum: "Spectrum", notes: "Notes" } as const
type Look = keyof typeof looks
const isLook = (name: string | null): name is Look => name !== null && name in looks

/** Seconds of a sound that tell a tune from a recording. */
const BEGINNING = 2

/** A sound as a wave, its spectrum or its notes; it can be heard while it is still being made. */
export function SoundView(props: {
  content: Content
  version: number
  sound: Sound
  given: number
  heat: boolean
  /** Bits per byte that the pack is used to. */
  usual: number
  /** Bytes that it will have, while it is being made. */
  total: number | undefined
  label: string
  pointing: Pointing & { patch: number }
  onSelect: (patch: number) => void
}) {
  const { content, version, sound, given, heat, usual, total, label, pointing, onSelect } = props
  const player = useSeeking(usePlayer(content, sound, total), pointing)
  const [chosen, setChosen] = useState(() => localStorage.getItem("look"))
  // A tune is seen best by its notes, anything else by its wave.
  const beginning = Math.min(content.length, BEGINNING * secondBytes(sound))
  const isTune = useMemo(
    () => isPlayed(rollOf(content.bytes.subarray(0, beginning), sound)),
    [content, beginning, sound],
  )
  const look = isLook(chosen) ? chosen : isTune ? "notes" : "wave"
  const choose = (name: Look) => {
    localStorage.setItem("look", name)
    setChosen(name)
  }
  const heard = player.state.byte || player.state.playing ? player.state.byte : undefined
  const pick = (byte: number) => {
    const to = Math.floor(byte / pointing.patch)
    // Chosen already, it is heard from its beginning once more.
    if (to === pointing.selected) player.seek(to * pointing.patch)
    else onSelect(to)
  }
  const view = { content, version, sound, heard, label, pointing, onPick: pick }
  return (
    <div className="sound">
      {look === "wave" && <Wave {...view} {...{ given, heat, usual }} />}
      {look === "spectrum" && <SpectrumView {...view} />}
      {look === "notes" && <NotesView {...view} {...{ given, heat, usual }} />}
      <div className="actions">
        <Transport player={player} content={content} sound={sound} total={total} />
        <div className="looks" role="radiogroup" aria-label="What is shown of the sound">
          {(Object.keys(looks) as Look[]).map((name) => (
            <label key={name}>
              <input type="radio" name="look" checked={look === name} onChange={() => choose(name)} />
              {looks[name]}
            </label>
          ))}
        </div>
      </div>
    </div>
  )
}

/** A player that goes to the chosen patch, and begins there again once the end was heard. */
function useSeeking(player: ReturnType<typeof usePlayer>, { selected, patch }: Pointing & { patch: number }) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: another chosen patch is the occasion
  useEffect(() => {
    if (selected !== undefined) player.seek(selected * patch)
  }, [selected])
  const toggle = () => {
    const { byte, playing } = player.state
    if (!playing && !byte && selected) player.seek(selected * patch)
    player.toggle()
  }
  return { ...player, toggle }
}
