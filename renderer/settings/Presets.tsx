import { useState } from "react"
import type { PackSummary } from "../../contract/app.ts"
import { useActions, useSlice } from "../store/context.ts"
import { IconButton } from "../ui/Button.tsx"

/** A person's own presets of the pack: a click uses one, a name keeps the settings as they are. */
export function Presets({ pack }: { pack: PackSummary | undefined }) {
  const actions = useActions()
  const all = useSlice((s) => s.preferences.presets)
  const sampling = useSlice((s) => s.settings.sampling)
  const [naming, setNaming] = useState(false)
  if (!pack) return null
  const own = all.filter((p) => p.pack === pack.name)
  const keep = (name: string) => {
    setNaming(false)
    if (!name.trim()) return
    const others = all.filter((p) => p.pack !== pack.name || p.name !== name.trim())
    actions.prefer({ presets: [...others, { name: name.trim().slice(0, 40), pack: pack.name, sampling }] })
  }
  return (
    <fieldset className="presets">
      <legend>Presets</legend>
      {own.map((preset) => (
        <span key={preset.name} className="preset">
          <button
            type="button"
            aria-pressed={JSON.stringify(preset.sampling) === JSON.stringify(sampling)}
            onClick={() => actions.setSettings({ sampling: preset.sampling })}
          >
            {preset.name}
          </button>
          <IconButton
            icon="close"
            label={`Remove the preset ${preset.name}`}
            onClick={() => actions.prefer({ presets: all.filter((p) => p !== preset) })}
          />
        </span>
      ))}
      {naming ? (
        <input
          // biome-ignore lint/a11y/noAutofocus: the person has just asked to type here
          autoFocus
          aria-label="Name of the preset"
          placeholder="Name"
          maxLength={40}
          onBlur={(e) => keep(e.target.value)}
          onKeyDown={(e) => {
            if (e.key === "Escape") e.currentTarget.value = ""
            if (e.key === "Enter" || e.key === "Escape") e.currentTarget.blur()
          }}
        />
      ) : (
        <button type="button" className="quiet" onClick={() => setNaming(true)}>
          Keep as preset…
        </button>
      )}
    </fieldset>
  )
}
