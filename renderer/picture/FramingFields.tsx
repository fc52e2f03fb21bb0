import { useEffect, useState } from "react"
import type { Framing } from "../../contract/app.ts"

/** Which part of a picture of another shape is taken, and whether colors that the palette lacks are mixed. */
export function FramingFields(props: {
  framing: Framing
  adjustable: { crop: boolean; dither: boolean }
  onFraming: (change: Partial<Framing>) => void
}) {
  const { framing, adjustable, onFraming } = props
  const whole = framing.crop === "whole"
  // What is being dragged to; the picture is read again when it is let go.
  const [at, setAt] = useState(0.5)
  useEffect(() => {
    if (framing.crop !== "whole") setAt(framing.crop)
  }, [framing.crop])
  return (
    <fieldset className="framing">
      <legend>Fit</legend>
      {adjustable.crop && (
        <>
          <label>
            <input type="checkbox" checked={whole} onChange={() => onFraming({ crop: whole ? at : "whole" })} />
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
              onPointerUp={() => onFraming({ crop: at })}
              onKeyUp={() => onFraming({ crop: at })}
            />
          </label>
        </>
      )}
      {adjustable.dither && (
        <label>
          <input
            type="checkbox"
            checked={framing.dithered}
            onChange={() => onFraming({ dithered: !framing.dithered })}
          />
          Mix colors by a pattern
        </label>
      )}
    </fieldset>
  )
}
