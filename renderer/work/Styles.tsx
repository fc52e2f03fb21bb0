import type { PackSummary } from "../../contract/app.ts"
import { useActions, useSlice } from "../store/context.ts"
import { stylesOf } from "../store/packs.ts"
import { gridOf } from "../store/styles.ts"
import { StyleSample } from "./StyleSample.tsx"

/** The styles that a pack can be asked for; where their names are of two parts, each part is chosen by itself. */
export function Styles({ pack }: { pack: PackSummary }) {
  const actions = useActions()
  const style = useSlice((s) => s.settings.style)
  const { styles, defaultStyle } = stylesOf(pack)
  if (styles.length < 2) return null
  const choose = (style: number) => actions.setSettings({ style })
  // The first leaves it open, which mixes what does not go together: it comes last.
  const open = <Chip label={styles[0] ?? "any"} chosen={style === 0} onChoose={() => choose(0)} />
  const grid = gridOf(styles)
  if (!grid)
    return (
      <fieldset className="styles">
        <legend>Style</legend>
        {styles.slice(1).map((label, i) => (
          <Chip key={label} {...{ label, pack }} chosen={style === i + 1} onChoose={() => choose(i + 1)} />
        ))}
        {open}
      </fieldset>
    )
  const at = grid.places[style] ?? grid.places[defaultStyle] ?? [0, 0]
  return (
    <div className="style-parts">
      {grid.parts.map((names, part) => (
        <fieldset className="styles" key={names[0]}>
          <legend>{part === 0 ? "Style" : "Played by"}</legend>
          {names.map((label, i) => (
            <Chip
              key={label}
              label={label}
              chosen={style > 0 && at[part] === i}
              onChoose={() => choose(grid.styleAt(part === 0 ? i : at[0], part === 1 ? i : at[1]))}
            />
          ))}
          {part === 0 && open}
        </fieldset>
      ))}
    </div>
  )
}

/** A style; with its pack, a sample of it. */
function Chip(props: { label: string; pack?: PackSummary; chosen: boolean; onChoose: () => void }) {
  const { label, pack, chosen, onChoose } = props
  return (
    <button type="button" aria-pressed={chosen} onClick={onChoose}>
      {pack && <StyleSample pack={pack} style={label} />}
      {label}
    </button>
  )
}
