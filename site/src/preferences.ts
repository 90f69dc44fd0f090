// Language and theme: the address wins, then what was chosen before, then what
// the browser asks for.
import { computed, effect, signal } from '@preact/signals';
import { go, hrefHere, query } from './query';

export type Language = 'en' | 'ko';
export type Theme = 'light' | 'dark';

function remembered(key: string): string {
  try {
    return localStorage.getItem(key) ?? '';
  } catch {
    return ''; // storage is off: the choice lasts as long as the address
  }
}

function choose(key: 'lang' | 'theme', value: string) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above
  }
  go(hrefHere({ [key]: value }), 'replace');
}

const darkAsked = matchMedia('(prefers-color-scheme: dark)');
const systemDark = signal(darkAsked.matches);
darkAsked.addEventListener?.('change', (e) => (systemDark.value = e.matches));

export const language = computed<Language>(() => {
  const asked = query.value.get('lang') || remembered('lang') || navigator.language;
  return asked.startsWith('ko') ? 'ko' : 'en';
});

export const theme = computed<Theme>(() => {
  const asked = query.value.get('theme') || remembered('theme');
  return asked === 'dark' || asked === 'light' ? asked : systemDark.value ? 'dark' : 'light';
});

export const switchLanguage = () => choose('lang', language.value === 'ko' ? 'en' : 'ko');
export const switchTheme = () => choose('theme', theme.value === 'dark' ? 'light' : 'dark');

effect(() => {
  document.documentElement.lang = language.value;
  document.documentElement.dataset.theme = theme.value;
});
