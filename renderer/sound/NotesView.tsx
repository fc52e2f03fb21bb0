import { useMemo } from "react"
import { secondBytes } from "../../contract/pack.ts"
import { surpriseColor } from "../lib/color.ts"
import { Panel, type Shown } from "./Panel.tsx"
import { paintRoll, useRoll } from "./roll.ts"

/**
 * Notes heard in the sound; those that are only estimated are pale. Those that were given are drawn softly; with `heat`
 * each is colored by how its bytes surprised the model.
 */
export function NotesView(props: Shown & { given: number; heat: boolean; usual: number }) {
  const { content, version, sound, given, heat, usual } = props
  const roll = useRoll(content, version, sound)
  const paint = useMemo(
    () => (g: CanvasRenderingContext2D, width: number, height: number) => {
      const style = getComputedStyle(g.canvas)
      const [soft, accent, line] = ["--soft", "--accent", "--line"].map((name) => style.getPropertyValue(name)) as [
        string,
        string,
        string,
      ]
      const byte = (seconds: number) => Math.round(seconds * secondBytes(sound))
      paintRoll(g, roll.notes, {
        width,
        height,
        seconds: roll.seconds,
        line,
        color: ({ start, length }) => {
          const bits = heat ? content.meanBits(byte(start), byte(start + length)) : undefined
          if (bits !== undefined) return surpriseColor(bits, usual, true)
          return byte(start) < given ? soft : accent
        },
      })
    },
    [roll, content, sound, given, heat, usual],
  )
  const { notes } = roll
  const estimated = notes.some(({ exact }) => !exact)
  return (
    <>
      <Panel {...props} label={`Notes of ${props.label}`} paint={paint} />
      {estimated && <p className="note">Pale notes are estimates: this sound does not repeat exactly.</p>}
      {!notes.length && content.length > 0 && <p className="note">No notes are heard in it.</p>}
    </>
  )
}
