import { useActions, useSlice } from "../store/context.ts"
import { packOfItem, stylesOf } from "../store/packs.ts"

/** How what is shown was made; it is used again only when that is asked for. */
export function MadeWith() {
  const actions = useActions()
  const item = useSlice((s) => (s.chosen === undefined ? undefined : s.items.get(s.chosen)))
  const pack = useSlice((s) => packOfItem(s, s.chosen))
  if (!item || item.scored) return null
  const { seed, sampling, style } = item.settings
  const { styles } = stylesOf(pack)
  return (
    <section className="made-with" aria-label="How this one was made">
      <h3>This one was made with</h3>
      <p className="note">
        {pack?.title ?? `${item.settings.pack} (not here any more)`}
        {styles[style] ? `, ${styles[style]}` : ""}, temperature {sampling.temperature}, top-p {sampling.topP}, seed{" "}
        {seed}
      </p>
      <button type="button" disabled={!pack} onClick={() => actions.adoptSettings(item.id)}>
        Use these settings
      </button>
    </section>
  )
}
