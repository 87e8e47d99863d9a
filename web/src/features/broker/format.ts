/** Ages, rates and sizes as short texts. */
import { t } from '../../i18n/t.svelte'

/** How long ago something was. */
export function age(time: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - time) / 1000))
  if (seconds < 2) return t('broker.now')
  if (seconds < 60) return t('broker.seconds', { count: seconds })
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return t('broker.minutes', { count: minutes })
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? t('broker.hours', { count: hours }) : t('broker.days', { count: Math.floor(hours / 24) })
}

/** Messages a second; one that falls since its last message is followed down. */
export function rate(value: number, time: number, now: number): string {
  const current = value * Math.exp(-Math.max(0, now - time) / 10_000)
  if (current < 0.05) return ''
  return t('broker.rate', { rate: plainRate(current) })
}

/** A rate without its unit. */
export const plainRate = (value: number): string => (value >= 10 ? String(Math.round(value)) : value.toFixed(1))

/** A line through numbers, as the path of an SVG of this size; empty where there is no line. */
export function sparkline(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return ''
  const low = Math.min(...values)
  const span = Math.max(...values) - low
  const x = (index: number): number => (index / (values.length - 1)) * width
  const y = (value: number): number => (span === 0 ? height / 2 : height - 1 - ((value - low) / span) * (height - 2))
  return values
    .map((value, index) => `${index === 0 ? 'M' : 'L'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`)
    .join('')
}
