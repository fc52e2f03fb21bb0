import { useMemo } from "react"
import { secondBytes } from "../../contract/pack.ts"
import { decodeSamples } from "../../contract/samples.ts"
import { notesOf } from "../../contract/transcription.ts"
import { Panel, type Shown } from "./SpectrumView.tsx"

/** Notes heard in the sound as bars, high ones above; those that are only estimated are pale. */
export function NotesView(props: Shown) {
  const { content, version, sound } = props
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  const notes = useMemo(() => notesOf(decodeSamples(content.bytes, sound), sound.rate), [content, version, sound])
  const paint = useMemo(
    () => (el: HTMLCanvasElement) => {
      const g = el.getContext("2d")
      if (!g || !notes.length) return
      const pitches = notes.map(({ pitch }) => pitch)
      const [low, high] = [Math.min(...pitches) - 2, Math.max(...pitches) + 2]
      const row = el.height / (high - low + 1)
      const second = el.width / (content.length / secondBytes(sound))
      const style = getComputedStyle(el)
      g.fillStyle = style.getPropertyValue("--accent")
      for (const { start, length, pitch, exact } of notes) {
        g.globalAlpha = exact ? 1 : 0.45
        g.fillRect(start * second, (high - pitch) * row, Math.max(2, length * second - 1), Math.max(3, row - 1))
      }
      g.globalAlpha = 1
    },
    [notes, content, sound],
  )
  const estimated = notes.length > 0 && notes.some(({ exact }) => !exact)
  return (
    <>
      <Panel {...props} name="Notes" paint={paint} />
      {estimated && <p className="note">Pale notes are estimates: this sound does not repeat exactly.</p>}
      {!notes.length && content.length > 0 && <p className="note">No notes are heard in it.</p>}
    </>
  )
}
