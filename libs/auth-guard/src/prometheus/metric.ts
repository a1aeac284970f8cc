import type { GuardMetricsSnapshot } from '../nest/guard-metrics.js';

export type Sample = [labels: Record<string, string>, value: number];

export interface Metric {
  type: 'counter' | 'gauge';
  name: string;
  help: string;
  labels: readonly string[];
  read: (snapshot: GuardMetricsSnapshot) => Sample[];
}
