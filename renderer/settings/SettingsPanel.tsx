import { useState } from "react"
import type { PackSummary } from "../../contract/app.ts"
import { MAX_FUTURES, MAX_SEED } from "../../contract/limits.ts"
import { type Device, DeviceChoice } from "../../contract/pack.ts"
import { isOutside, MOST_GUIDANCE, type Ranges } from "../../contract/sampling.ts"
import { bits } from "../lib/words.ts"
import { useActions, useSlice } from "../store/context.ts"
import { hasEnd, packOf, unitOf } from "../store/packs.ts"
import { IconButton } from "../ui/Button.tsx"
import { Styles } from "../work/Styles.tsx"
import { Count, Field, Slider } from "./fields.tsx"
import { MadeWith } from "./MadeWith.tsx"
import { Presets } from "./Presets.tsx"

/** Devices as a person calls them. */
export const deviceNames: Record<Device, string> = {
  cpu: "processor",
  webgpu: "GPU",
  coreml: "Core ML",
  dml: "DirectML",
  cuda: "CUDA",
}

/** How the next generation is made: what most want first, the rest under Advanced. */
export function SettingsPanel() {
  const actions = useActions()
  const pack = useSlice(packOf)
  const packs = useSlice((s) => s.packs)
  const settings = useSlice((s) => s.settings)
  // The document itself has the styles of what is not begun yet.
  const drafting = useSlice((s) => s.view === "work" && s.chosen === undefined)
  const [advanced, setAdvanced] = useState(localStorage.getItem("advanced") === "true")
  const untilEnd = hasEnd(pack) && (settings.untilEnd ?? false)
  const unit = pack ? unitOf(pack) : { name: "bytes", bytes: 1, most: 1 }
  return (
    <aside className="settings" id="settings" aria-label="Settings of the next generation">
      <header>
        <h2>Settings</h2>
        <IconButton icon="close" label="Close the settings" onClick={() => actions.open({ settingsOpen: false })} />
      </header>
      <Field label="Model" hint={pack && about(pack)}>
        <select value={settings.pack} onChange={(e) => actions.newWork(e.target.value)}>
          {packs.map((p) => (
            <option key={p.name} value={p.name} disabled={p.problem !== undefined}>
              {p.title}
              {p.problem ? " (damaged)" : ""}
            </option>
          ))}
        </select>
      </Field>
      {hasEnd(pack) && (
        <label className="check">
          <input
            type="checkbox"
            checked={untilEnd}
            onChange={(e) => actions.setSettings({ untilEnd: e.target.checked })}
          />
          Until the story ends
        </label>
      )}
      <Count
        label="Length"
        unit={unit.name}
        value={Math.ceil(settings.length / unit.bytes)}
        min={1}
        max={unit.most}
        disabled={untilEnd}
        onChange={(length) => actions.setSettings({ length: length * unit.bytes })}
      />
      <Count
        label="Futures"
        unit="at a time"
        value={settings.variations}
        min={1}
        max={MAX_FUTURES}
        onChange={(variations) => actions.setSettings({ variations })}
      />
      {pack && !drafting && <Styles pack={pack} />}
      <Presets pack={pack} />
      <details
        open={advanced}
        onToggle={(e) => {
          setAdvanced(e.currentTarget.open)
          localStorage.setItem("advanced", String(e.currentTarget.open))
        }}
      >
        <summary>Advanced</summary>
        <Advanced />
      </details>
      <MadeWith />
    </aside>
  )
}

const about = (pack: PackSummary) =>
  pack.problem ??
  `${(pack.parameters / 1e6).toFixed(0)} million parameters, usual surprise ${bits(pack.bitsPerByte)} bits/byte`

function Advanced() {
  const actions = useActions()
  const { sampling, seed } = useSlice((s) => s.settings)
  const fixedSeed = useSlice((s) => s.fixedSeed)
  const device = useSlice((s) => s.preferences.device)
  const ranOn = useSlice((s) => s.ranOn)
  const ranges = useSlice(packOf)?.ranges
  const warn = (key: keyof Ranges) =>
    isOutside(sampling, key, ranges)
      ? `Tried from ${ranges?.[key]?.join(" to ")}; beyond, results may be blank or broken.`
      : undefined
  const sample = (change: Partial<typeof sampling>) => actions.setSettings({ sampling: { ...sampling, ...change } })
  return (
    <div className="advanced">
      <Slider
        label="Temperature"
        value={sampling.temperature}
        min={0}
        max={2}
        step={0.05}
        warning={warn("temperature")}
        onChange={(temperature) => sample({ temperature })}
      />
      <Slider
        label="Top-p"
        value={sampling.topP}
        min={0.05}
        max={1}
        step={0.01}
        warning={warn("topP")}
        onChange={(topP) => sample({ topP })}
      />
      <Slider
        label="Min-p"
        value={sampling.minP}
        min={0}
        max={0.5}
        step={0.01}
        warning={warn("minP")}
        onChange={(minP) => sample({ minP })}
      />
      <Slider
        label="Top-k"
        value={sampling.topK}
        min={0}
        max={256}
        step={1}
        zero="all"
        onChange={(topK) => sample({ topK })}
      />
      {ranges?.guidance && (
        <Slider
          label="Style guidance"
          value={sampling.guidance ?? 1}
          min={1}
          max={MOST_GUIDANCE}
          step={0.1}
          warning={warn("guidance")}
          onChange={(guidance) => sample({ guidance })}
        />
      )}
      <Count
        label="Seed"
        unit=""
        value={seed}
        min={0}
        max={MAX_SEED}
        onChange={(seed) => {
          actions.setSettings({ seed })
          actions.holdSeed(true)
        }}
      />
      <label className="check">
        <input type="checkbox" checked={!fixedSeed} onChange={(e) => actions.holdSeed(!e.target.checked)} />
        New seed each time
      </label>
      <Field label="Device" hint={ranOn && `The last run was on the ${deviceNames[ranOn]}.`}>
        <select value={device} onChange={(e) => actions.prefer({ device: DeviceChoice.parse(e.target.value) })}>
          <option value="auto">Fastest</option>
          <option value="gpu">GPU</option>
          <option value="cpu">Processor</option>
        </select>
      </Field>
    </div>
  )
}
