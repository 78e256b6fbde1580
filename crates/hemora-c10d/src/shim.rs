//! The C++ shim in Rust's types. All `unsafe` code of Hemora is here.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{self, NonNull};
use std::time::Duration;

use tch::Tensor;
use torch_sys::C_tensor;

/// What c10d says went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct C10dError(pub(crate) String);

#[repr(C)]
struct RawStore {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawGroup {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn hemora_c10d_free(text: *mut c_char);
    fn hemora_c10d_leave(status: c_int) -> !;
    fn hemora_c10d_host(name: *mut c_char, length: usize);
    fn hemora_c10d_has_nccl() -> c_int;
    fn hemora_c10d_store_open(
        host: *const c_char,
        port: u16,
        serves: c_int,
        timeout: i64,
        prefix: *const c_char,
        out: *mut *mut RawStore,
    ) -> *mut c_char;
    fn hemora_c10d_store_close(store: *mut RawStore);
    fn hemora_c10d_store_set(
        store: *mut RawStore,
        key: *const c_char,
        value: *const u8,
        length: usize,
    ) -> *mut c_char;
    fn hemora_c10d_store_claim(
        store: *mut RawStore,
        key: *const c_char,
        value: *const u8,
        length: usize,
    ) -> *mut c_char;
    fn hemora_c10d_store_get(
        store: *mut RawStore,
        key: *const c_char,
        timeout: i64,
        value: *mut *mut c_char,
        length: *mut usize,
    ) -> *mut c_char;
    fn hemora_c10d_store_has(
        store: *mut RawStore,
        key: *const c_char,
        out: *mut c_int,
    ) -> *mut c_char;
    fn hemora_c10d_gloo_open(
        store: *mut RawStore,
        rank: c_int,
        world: c_int,
        timeout: i64,
        out: *mut *mut RawGroup,
    ) -> *mut c_char;
    fn hemora_c10d_nccl_open(
        store: *mut RawStore,
        rank: c_int,
        world: c_int,
        timeout: i64,
        out: *mut *mut RawGroup,
    ) -> *mut c_char;
    fn hemora_c10d_group_close(group: *mut RawGroup);
    fn hemora_c10d_all_reduce(
        group: *mut RawGroup,
        tensors: *const *const C_tensor,
        count: usize,
    ) -> *mut c_char;
    fn hemora_c10d_broadcast(
        group: *mut RawGroup,
        tensors: *const *const C_tensor,
        count: usize,
        root: c_int,
    ) -> *mut c_char;
    fn hemora_c10d_all_gather(
        group: *mut RawGroup,
        input: *const C_tensor,
        outputs: *const *const C_tensor,
        world: usize,
    ) -> *mut c_char;
}

/// Takes the shim's message, if there is one.
fn checked(message: *mut c_char) -> Result<(), C10dError> {
    let Some(message) = NonNull::new(message) else { return Ok(()) };
    // SAFETY: the shim returns null or a string that ends with a zero and is ours to free, once.
    let text = unsafe {
        let text = CStr::from_ptr(message.as_ptr()).to_string_lossy().into_owned();
        hemora_c10d_free(message.as_ptr());
        text
    };
    Err(C10dError(text))
}

fn c_string(text: &str) -> Result<CString, C10dError> {
    CString::new(text).map_err(|_| C10dError(format!("`{text:?}` holds a zero byte")))
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The name of this machine.
pub fn host() -> String {
    let mut name = [0u8; 256];
    // SAFETY: the shim writes at most `len` bytes and ends them with a zero.
    unsafe { hemora_c10d_host(name.as_mut_ptr().cast(), name.len()) };
    let text = CStr::from_bytes_until_nul(&name).unwrap_or_default();
    text.to_string_lossy().into_owned()
}

/// Whether NCCL was there when this was built.
pub fn has_nccl() -> bool {
    // SAFETY: it takes nothing and returns a constant.
    unsafe { hemora_c10d_has_nccl() != 0 }
}

/// Ends the process at once: other threads may be inside a collective that never returns.
pub fn leave(status: i32) -> ! {
    // SAFETY: `_exit` needs nothing and does not return.
    unsafe { hemora_c10d_leave(status) }
}

/// A connection to the key-value store that the ranks share.
#[derive(Debug)]
pub struct Store(NonNull<RawStore>);

// SAFETY: c10d's stores may be used from any thread; they lock around every operation.
unsafe impl Send for Store {}

impl Store {
    /// Connects to the store at `host`:`port`, or serves it there.
    pub fn open(
        host: &str,
        port: u16,
        serves: bool,
        timeout: Duration,
        prefix: &str,
    ) -> Result<Self, C10dError> {
        let (host, prefix) = (c_string(host)?, c_string(prefix)?);
        let mut store = ptr::null_mut();
        // SAFETY: the strings live through the call, and `store` is written when it returns null.
        checked(unsafe {
            hemora_c10d_store_open(
                host.as_ptr(),
                port,
                c_int::from(serves),
                milliseconds(timeout),
                prefix.as_ptr(),
                &raw mut store,
            )
        })?;
        opened(store).map(Self)
    }

    /// Sets a key.
    pub fn set(&self, key: &str, value: &str) -> Result<(), C10dError> {
        let key = c_string(key)?;
        // SAFETY: the store is open, key and value live through the call.
        checked(unsafe {
            hemora_c10d_store_set(self.0.as_ptr(), key.as_ptr(), value.as_ptr(), value.len())
        })
    }

    /// Sets a key unless it is there.
    pub fn claim(&self, key: &str, value: &str) -> Result<(), C10dError> {
        let key = c_string(key)?;
        // SAFETY: as in `set`.
        checked(unsafe {
            hemora_c10d_store_claim(self.0.as_ptr(), key.as_ptr(), value.as_ptr(), value.len())
        })
    }

    /// The value of a key, as soon as it is there.
    pub fn get(&self, key: &str, timeout: Duration) -> Result<String, C10dError> {
        let key = c_string(key)?;
        let (mut value, mut length) = (ptr::null_mut(), 0usize);
        // SAFETY: the store is open, the key lives through the call; both outputs are written when
        // it returns null.
        checked(unsafe {
            hemora_c10d_store_get(
                self.0.as_ptr(),
                key.as_ptr(),
                milliseconds(timeout),
                &raw mut value,
                &raw mut length,
            )
        })?;
        // SAFETY: the shim wrote a block of `length` bytes, which is ours to free, once.
        let text = unsafe {
            let bytes = std::slice::from_raw_parts(value.cast::<u8>(), length);
            let text = String::from_utf8_lossy(bytes).into_owned();
            hemora_c10d_free(value);
            text
        };
        Ok(text)
    }

    /// Whether a key is there.
    pub fn has(&self, key: &str) -> Result<bool, C10dError> {
        let key = c_string(key)?;
        let mut found = 0;
        // SAFETY: as in `get`.
        checked(unsafe { hemora_c10d_store_has(self.0.as_ptr(), key.as_ptr(), &raw mut found) })?;
        Ok(found != 0)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: made by `open`, closed once.
        unsafe { hemora_c10d_store_close(self.0.as_ptr()) }
    }
}

fn opened<T>(pointer: *mut T) -> Result<NonNull<T>, C10dError> {
    NonNull::new(pointer).ok_or_else(|| C10dError("c10d gave nothing".to_owned()))
}

/// A backend's process group.
#[derive(Debug)]
pub struct Group(NonNull<RawGroup>);

impl Group {
    /// Joins the group of Gloo, or of NCCL for tensors on GPUs. Every rank must do it.
    pub fn open(
        store: &Store,
        rank: usize,
        world: usize,
        timeout: Duration,
        nccl: bool,
    ) -> Result<Self, C10dError> {
        let number = |value: usize| {
            c_int::try_from(value).map_err(|_| C10dError(format!("{value} ranks are too many")))
        };
        let (rank, world) = (number(rank)?, number(world)?);
        let open = if nccl { hemora_c10d_nccl_open } else { hemora_c10d_gloo_open };
        let mut group = ptr::null_mut();
        // SAFETY: the store is open, and c10d keeps a reference of its own to it; `group` is written
        // when the call returns null.
        checked(unsafe {
            open(store.0.as_ptr(), rank, world, milliseconds(timeout), &raw mut group)
        })?;
        opened(group).map(Self)
    }

    /// Sums each tensor over the ranks, in place. They must be contiguous.
    pub fn all_reduce(&self, tensors: &[Tensor]) -> Result<(), C10dError> {
        let pointers = pointers(tensors);
        // SAFETY: the group is open, the tensors live through the call, which waits for the end.
        checked(unsafe {
            hemora_c10d_all_reduce(self.0.as_ptr(), pointers.as_ptr(), pointers.len())
        })
    }

    /// Overwrites each tensor with that of rank 0. They must be contiguous.
    pub fn broadcast(&self, tensors: &[Tensor]) -> Result<(), C10dError> {
        let pointers = pointers(tensors);
        // SAFETY: as in `all_reduce`.
        checked(unsafe {
            hemora_c10d_broadcast(self.0.as_ptr(), pointers.as_ptr(), pointers.len(), 0)
        })
    }

    /// Fills `outputs`, one a rank, each of the shape of `input`.
    pub fn all_gather(&self, input: &Tensor, outputs: &[Tensor]) -> Result<(), C10dError> {
        let pointers = pointers(outputs);
        // SAFETY: as in `all_reduce`.
        checked(unsafe {
            hemora_c10d_all_gather(
                self.0.as_ptr(),
                input.as_ptr(),
                pointers.as_ptr(),
                pointers.len(),
            )
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: made by `open`, closed once; no collective is under way, each waits for its end.
        unsafe { hemora_c10d_group_close(self.0.as_ptr()) }
    }
}

fn pointers(tensors: &[Tensor]) -> Vec<*const C_tensor> {
    tensors.iter().map(Tensor::as_ptr).collect()
}
