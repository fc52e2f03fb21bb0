import { type ReactNode, useId, useState } from "react"

export function Field({ label, hint, children }: { label: string; hint?: string | undefined; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label className="field">
      <span>{label}</span>
      {children}
      {hint && <small>{hint}</small>}
    </label>
  )
}

/** A slider; a value outside of what the pack was tried with is said. */
export function Slider(props: {
  label: string
  value: number
  min: number
  max: number
  step: number
  zero?: string
  warning?: string | undefined
  onChange: (value: number) => void
}) {
  const { label, value, min, max, step, zero, warning, onChange } = props
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
      {warning && <small className="warning">{warning}</small>}
    </label>
  )
}

/** A number field that takes effect when it is a whole number in its range, and says when it is not. */
export function Count(props: {
  label: string
  unit: string
  value: number
  min: number
  max: number
  disabled?: boolean
  onChange: (value: number) => void
}) {
  const { label, unit, value, min, max, disabled = false, onChange } = props
  const [typed, setTyped] = useState<string>()
  const id = useId()
  const isValid = (text: string) => /^\s*\d+\s*$/.test(text) && Number(text) >= min && Number(text) <= max
  const wrong = typed !== undefined && !isValid(typed)
  const [said, setSaid] = useState(false)
  const range = `A whole number from ${min.toLocaleString("en")} to ${max.toLocaleString("en")}.`
  return (
    <div className="field">
      <label className="row-field">
        <span>
          {label} {unit && <small>{unit}</small>}
        </span>
        <input
          inputMode="numeric"
          disabled={disabled}
          value={typed ?? String(value)}
          aria-invalid={wrong}
          aria-describedby={said || wrong ? id : undefined}
          onChange={(e) => {
            setTyped(e.target.value)
            setSaid(false)
            if (isValid(e.target.value)) onChange(Number(e.target.value))
          }}
          onBlur={() => {
            setSaid(wrong)
            setTyped(undefined)
          }}
        />
      </label>
      {(wrong || said) && (
        <small className="warning" id={id} role="alert">
          {range} {said && `It stays at ${value.toLocaleString("en")}.`}
        </small>
      )}
    </div>
  )
}
