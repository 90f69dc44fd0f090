// The help: keys, and what the words of the report mean.
import { useEffect, useRef } from 'preact/hooks';
import { span } from './format';
import { REFRESH_SECONDS } from './lake';
import { t } from './words';

export function Help({ open, close }: { open: boolean; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current!.showModal();
    else dialog.current!.close();
  }, [open]);
  return (
    <dialog ref={dialog} onClose={close} aria-label={t('help')}>
      <h2>{t('helpKeys')}</h2>
      <dl class="keys">
        <div>
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>{t('helpSearch')}</dd>
        </div>
        <div>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>{t('helpEsc')}</dd>
        </div>
        <div>
          <dt>
            <kbd>↑</kbd> <kbd>↓</kbd>
          </dt>
          <dd>{t('helpRows')}</dd>
        </div>
        <div>
          <dt>
            <kbd>Enter</kbd>
          </dt>
          <dd>{t('helpEnter')}</dd>
        </div>
        <div>
          <dt>
            <kbd>?</kbd>
          </dt>
          <dd>{t('helpThis')}</dd>
        </div>
      </dl>
      <h2>{t('helpReading')}</h2>
      <ul>
        <li>{t('helpIdle')}</li>
        <li>{t('helpLoading')}</li>
        <li>{t('helpBasis')}</li>
        <li>{t('helpNone')}</li>
        <li>{t('helpCoverage')}</li>
        <li>{t('helpBadge')}</li>
        <li>{t('helpTime', span(REFRESH_SECONDS))}</li>
      </ul>
      <button type="button" onClick={close}>
        {t('close')}
      </button>
    </dialog>
  );
}
