import type { PackSummary } from "../../contract/app.ts"
import { useActions, useSlice } from "../store/context.ts"
import { pathOf, placeOn, samplingAt } from "../store/dial.ts"

/** One dial from tame to wild, along settings that were measured for the pack. */
export function Dial({ pack }: { pack: PackSummary | undefined }) {
  const actions = useActions()
  const sampling = useSlice((s) => s.settings.sampling)
  const path = pathOf(pack)
  const place = placeOn(path, sampling)
  return (
    <label className={`dial${place === undefined ? " off" : ""}`}>
      <span>Tame</span>
      <input
        type="range"
        aria-label="Tame to wild"
        aria-valuetext={place === undefined ? "set by hand" : inWords(place)}
        title={place === undefined ? "Set by hand under Settings; the dial takes it back" : inWords(place)}
        min={0}
        max={100}
        value={Math.round(100 * (place ?? 0.5))}
        list="dial-stops"
        onChange={(e) => actions.setSettings({ sampling: samplingAt(path, Number(e.target.value) / 100) })}
      />
      <span>{place === undefined ? "By hand" : "Wild"}</span>
      <datalist id="dial-stops">
        <option value="0" />
        <option value="50" />
        <option value="100" />
      </datalist>
    </label>
  )
}

/** Where the dial stands, for those who do not see it. */
function inWords(place: number): string {
  if (place < 0.1) return "tame"
  if (place < 0.4) return "rather tame"
  if (place <= 0.6) return "as it was tried"
  if (place <= 0.9) return "rather wild"
  return "wild"
}
