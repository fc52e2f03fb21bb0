import { useState } from "react"
import { type Device, DeviceChoice } from "../../contract/pack.ts"
import { outside, presetsOf } from "../../contract/sampling.ts"
import { size } from "../lib/bytes.ts"
import { useActions, useSlice } from "../store/context.ts"
import { unitOf } from "../store/store.ts"

/** Devices as a person calls them. */
export const deviceNames: Record<Device, string> = {
  cpu: "processor",
  webgpu: "GPU",
  coreml: "Core ML",
  dml: "DirectML",
  cuda: "CUDA",
}

/** How the next generation is made. */
export function SettingsPanel() {
  const actions = useActions()
  const settings = useSlice((s) => s.settings)
  const fixedSeed = useSlice((s) => s.fixedSeed)
  const packs = useSlice((s) => s.packs)
  const draft = useSlice((s) => s.draft.text)
  const device = useSlice((s) => s.preferences.device)
  const ranOn = useSlice((s) => s.ranOn)
  const { sampling } = settings
  const pack = packs.find((p) => p.name === settings.pack)
  const unit = pack ? unitOf(pack) : { name: "bytes", bytes: 1, most: 1 }
  const beyond = outside(sampling, pack?.ranges)
  const sample = (change: Partial<typeof sampling>) => actions.setSettings({ sampling: { ...sampling, ...change } })
  return (
    <aside className="panel" aria-label="Settings of the next generation">
      <Field
        label="Model"
        hint={
          pack && !pack.problem
            ? `${(pack.parameters / 1e6).toFixed(0)}M parameters, ${size(pack.sizeBytes)}, ${pack.bitsPerByte.toFixed(2)} bits/byte on unseen ${pack.modality === "text" ? "books" : pack.modality === "image" ? "pictures" : "recordings"}`
            : pack?.problem
        }
      >
        <select
          value={settings.pack}
          onChange={(e) => {
            actions.setPack(e.target.value)
            actions.newDraft(draft)
          }}
        >
          {packs.map((p) => (
            <option key={p.name} value={p.name} disabled={p.problem !== undefined}>
              {p.title}
              {p.problem ? " (damaged)" : ""}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Device" hint={ranOn && `The last run was on the ${deviceNames[ranOn]}.`}>
        <select value={device} onChange={(e) => actions.prefer({ device: DeviceChoice.parse(e.target.value) })}>
          <option value="auto">Fastest</option>
          <option value="gpu">GPU</option>
          <option value="cpu">Processor</option>
        </select>
      </Field>
      <fieldset className="presets">
        <legend>Sampling</legend>
        {Object.entries(presetsOf(pack)).map(([name, values]) => (
          <button
            type="button"
            key={name}
            aria-pressed={JSON.stringify(values) === JSON.stringify(sampling)}
            onClick={() => sample(values)}
          >
            {name}
          </button>
        ))}
      </fieldset>
      {beyond.length > 0 && <small>Outside of what this model was tried with: {beyond.join(", ")}.</small>}
      <Slider
        label="Temperature"
        value={sampling.temperature}
        min={0}
        max={2}
        step={0.05}
        onChange={(temperature) => sample({ temperature })}
      />
      <Slider
        label="Top-p"
        value={sampling.topP}
        min={0.05}
        max={1}
        step={0.01}
        onChange={(topP) => sample({ topP })}
      />
      <Slider label="Min-p" value={sampling.minP} min={0} max={0.5} step={0.01} onChange={(minP) => sample({ minP })} />
      <Slider
        label="Top-k"
        value={sampling.topK}
        min={0}
        max={256}
        step={1}
        zero="all"
        onChange={(topK) => sample({ topK })}
      />
      {pack?.text?.endOfDocument !== undefined && (
        <label className="check">
          <input
            type="checkbox"
            checked={settings.untilEnd ?? false}
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
        disabled={settings.untilEnd && pack?.text?.endOfDocument !== undefined}
        onChange={(length) => actions.setSettings({ length: length * unit.bytes })}
      />
      <Count
        label="Variations"
        unit="side by side"
        value={settings.variations}
        min={1}
        max={8}
        onChange={(variations) => actions.setSettings({ variations })}
      />
      <Count
        label="Seed"
        unit=""
        value={settings.seed}
        min={0}
        max={2 ** 32 - 1}
        onChange={(seed) => {
          actions.setSettings({ seed })
          actions.holdSeed(true)
        }}
      />
      <label className="check">
        <input type="checkbox" checked={!fixedSeed} onChange={(e) => actions.holdSeed(!e.target.checked)} />
        New seed each time
      </label>
    </aside>
  )
}

function Field({ label, hint, children }: { label: string; hint?: string | undefined; children: React.ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label className="field">
      <span>{label}</span>
      {children}
      {hint && <small>{hint}</small>}
    </label>
  )
}

function Slider(props: {
  label: string
  value: number
  min: number
  max: number
  step: number
  zero?: string
  onChange: (value: number) => void
}) {
  const { label, value, min, max, step, zero, onChange } = props
  return (
    <label className="field">
      <span>
        {label} <output>{value === 0 && zero ? zero : Number(value.toFixed(2))}</output>
      </span>
      <input
        type="range"
        value={value}
        min={min}
        max={max}
        step={step}
        onChange={(e) => onChange(Number(e.target.value))}
      />
    </label>
  )
}

/** A number field that takes effect when it is a valid number, and shows the valid one again when left. */
function Count(props: {
  label: string
  unit: string
  value: number
  min: number
  max: number
  disabled?: boolean | undefined
  onChange: (value: number) => void
}) {
  const { label, unit, value, min, max, disabled, onChange } = props
  const [typed, setTyped] = useState<string>()
  return (
    <label className="field row-field">
      <span>
        {label} {unit && <small>{unit}</small>}
      </span>
      <input
        inputMode="numeric"
        disabled={disabled}
        value={typed ?? String(value)}
        onChange={(e) => {
          setTyped(e.target.value)
          const n = Number(e.target.value)
          if (e.target.value.trim() && Number.isInteger(n) && n >= min && n <= max) onChange(n)
        }}
        onBlur={() => setTyped(undefined)}
      />
    </label>
  )
}
