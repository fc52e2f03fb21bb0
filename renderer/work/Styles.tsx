import type { PackSummary } from "../../contract/app.ts"
import { useActions, useSlice } from "../store/context.ts"
import { stylesOf } from "../store/packs.ts"

/** The styles that a pack can be asked for. */
export function Styles({ pack }: { pack: PackSummary }) {
  const actions = useActions()
  const style = useSlice((s) => s.settings.style)
  const { styles } = stylesOf(pack)
  if (styles.length < 2) return null
  // The first leaves it open, which mixes what does not go together: it comes last.
  const order = [...styles.keys()].slice(1).concat(0)
  return (
    <fieldset className="styles">
      <legend>Style</legend>
      {order.map((i) => (
        <button
          type="button"
          key={styles[i]}
          aria-pressed={style === i}
          onClick={() => actions.setSettings({ style: i })}
        >
          {styles[i]}
        </button>
      ))}
    </fieldset>
  )
}
