import { useEffect, useState } from "react"
import type { Framing } from "../../contract/app.ts"

/** Which part of a picture of another shape is taken, and whether colors that the palette lacks are mixed. */
export function FramingFields(props: {
  framing: Framing
  adjustable: { crop: boolean; dither: boolean }
  onFraming: (change: Partial<Framing>) => void
}) {
  const { framing, adjustable, onFraming } = props
  // What is wished shows at once; the picture is read again when a slider is let go.
  const [wished, setWished] = useState(framing)
  const [at, setAt] = useState(0.5)
  useEffect(() => {
    setWished(framing)
    if (framing.crop !== "whole") setAt(framing.crop)
  }, [framing])
  const wish = (change: Partial<Framing>) => {
    setWished({ ...wished, ...change })
    onFraming(change)
  }
  const whole = wished.crop === "whole"
  return (
    <fieldset className="framing">
      <legend>Fit</legend>
      {adjustable.crop && (
        <>
          <label>
            <input type="checkbox" checked={whole} onChange={() => wish({ crop: whole ? at : "whole" })} />
            All of it
          </label>
          <label className="field">
            <span>Crop from</span>
            <input
              type="range"
              aria-label="Where to crop"
              min={0}
              max={1}
              step={0.05}
              disabled={whole}
              value={at}
              onChange={(e) => setAt(Number(e.target.value))}
              onPointerUp={() => wish({ crop: at })}
              onKeyUp={() => wish({ crop: at })}
            />
          </label>
        </>
      )}
      {adjustable.dither && (
        <label>
          <input type="checkbox" checked={wished.dithered} onChange={() => wish({ dithered: !wished.dithered })} />
          Mix colors by a pattern
        </label>
      )}
    </fieldset>
  )
}
