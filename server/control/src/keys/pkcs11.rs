//! Master keys in a token that speaks PKCS#11: the data keys go there to be wrapped with AES-GCM, the master key
//! never leaves it.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::envelope::Secret;
use super::error::KeyError;
use super::provider::{KeyProvider, Wrapped};
use super::sealed_file::read_private;
use super::settings::Pkcs11Settings;
use crate::fresh;

const NONCE_BYTES: usize = 12;
const TAG_BITS: u64 = 128;

/// An AES key of a token, and a session that may use it.
pub(super) struct Token {
    settings: Pkcs11Settings,
    /// A session is for one at a time.
    session: Mutex<Session>,
    key: ObjectHandle,
}

impl Token {
    pub(super) fn open(settings: &Pkcs11Settings) -> Result<Self, KeyError> {
        let failed = |reason: &str| service(settings, reason);
        let pin = read_private("PIN", &settings.pin_file)?;
        let pin = std::str::from_utf8(&pin)
            .map_err(|_| KeyError::unusable("PIN", &settings.pin_file, "it is no text"))?;
        let pin = pin.lines().next().unwrap_or_default();
        if pin.is_empty() {
            return Err(KeyError::unusable("PIN", &settings.pin_file, "its first line is empty"));
        }
        let module = Pkcs11::new(&settings.module).map_err(|_| failed("the library cannot be loaded"))?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // Another part of this process has: the library counts once for each process.
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(failed(&format!("the library does not start ({})", reason(&error)))),
        }
        let slots = module.get_slots_with_token().map_err(|_| failed("it lists no tokens"))?;
        let has_label = |slot: &cryptoki::slot::Slot| {
            module.get_token_info(*slot).is_ok_and(|info| info.label().trim_end() == settings.token)
        };
        let slot = slots.into_iter().find(has_label);
        let slot = slot.ok_or_else(|| failed("it holds no token with that label"))?;
        let session = module.open_ro_session(slot).map_err(|_| failed("the token gives no session"))?;
        match session.login(UserType::User, Some(&AuthPin::new(pin.to_owned().into()))) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(failed(&format!("the token refuses the PIN ({})", reason(&error)))),
        }
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Label(settings.key.clone().into_bytes()),
        ];
        let found =
            session.find_objects(&template).map_err(|_| failed("the token does not look for keys"))?;
        let [key] = found.as_slice() else {
            let found = found.len();
            return Err(failed(&format!("the token has {found} AES keys with that label, and needs one")));
        };
        let length = session.get_attributes(*key, &[AttributeType::ValueLen]);
        if !matches!(length.as_deref(), Ok([Attribute::ValueLen(length)]) if u64::from(*length) == 32) {
            return Err(failed("the key has not 256 bits"));
        }
        Ok(Self { settings: settings.clone(), session: Mutex::new(session), key: *key })
    }

    /// AES-GCM in the token, in the one or the other direction.
    fn run(
        &self,
        mut nonce: [u8; NONCE_BYTES],
        context: &[u8],
        operation: impl FnOnce(&Session, &Mechanism<'_>, ObjectHandle) -> cryptoki::error::Result<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let failed =
            |error: &Error| service(&self.settings, &format!("the token refuses ({})", reason(error)));
        let params = GcmParams::new(&mut nonce, context, TAG_BITS.into()).map_err(|error| failed(&error))?;
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        operation(&session, &Mechanism::AesGcm(params), self.key)
            .map(Zeroizing::new)
            .map_err(|error| failed(&error))
    }
}

impl KeyProvider for Token {
    fn name(&self) -> &'static str {
        "pkcs11"
    }

    fn master(&self) -> &str {
        &self.settings.key
    }

    fn wrap(&self, key: &Secret, context: &[u8]) -> Result<Wrapped, KeyError> {
        let nonce: [u8; NONCE_BYTES] =
            fresh::bytes().map_err(|_| service(&self.settings, "the machine gives no randomness"))?;
        let sealed =
            self.run(nonce, context, |session, gcm, master| session.encrypt(gcm, master, key.as_slice()))?;
        Ok(Wrapped { master: self.settings.key.clone(), bytes: [nonce.as_slice(), &sealed].concat() })
    }

    fn unwrap(&self, wrapped: &Wrapped, context: &[u8]) -> Result<Secret, KeyError> {
        let damaged = || service(&self.settings, "the wrapped key is damaged");
        let (nonce, sealed) = wrapped.bytes.split_at_checked(NONCE_BYTES).ok_or_else(damaged)?;
        let nonce = nonce.try_into().map_err(|_| damaged())?;
        let plain = self.run(nonce, context, |session, gcm, master| session.decrypt(gcm, master, sealed))?;
        plain.as_slice().try_into().map(Zeroizing::new).map_err(|_| damaged())
    }
}

fn service(settings: &Pkcs11Settings, reason: &str) -> KeyError {
    let place = format!("{} (token `{}`, key `{}`)", settings.module.display(), settings.token, settings.key);
    KeyError::Service { provider: "PKCS#11", place, reason: reason.to_owned() }
}

/// The standard's name of what went wrong.
fn reason(error: &Error) -> String {
    match error {
        Error::Pkcs11(code, _) => format!("{code:?}"),
        _ => "its answer cannot be understood".to_owned(),
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("settings", &self.settings).finish_non_exhaustive()
    }
}
