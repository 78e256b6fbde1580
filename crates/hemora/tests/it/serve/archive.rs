//! Orthanc, as the archive of a test.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::running::{free_port, wait_for};

/// A running Orthanc; killed when dropped.
pub struct Archive {
    child: Child,
    http: u16,
    /// Port of DICOM.
    pub dicom: u16,
}

impl Archive {
    /// Starts one that knows the node at port `node`; `None` if Orthanc is not installed.
    pub fn start(folder: &Path, node: u16) -> Option<Self> {
        let orthanc = hemora_testing::program("Orthanc", "apt-get install orthanc")?;
        let (http, dicom) = (free_port(), free_port());
        let storage = folder.join("orthanc");
        std::fs::create_dir_all(&storage).unwrap();
        let config = json!({
            "Name": "PACS", "StorageDirectory": storage, "IndexDirectory": storage,
            "HttpPort": http, "DicomPort": dicom, "DicomAet": "PACS",
            "RemoteAccessAllowed": false, "AuthenticationEnabled": false,
            "DicomModalities": { "node": ["HEMORA", "127.0.0.1", node] },
        });
        let file = folder.join("orthanc.json");
        std::fs::write(&file, config.to_string()).unwrap();
        let mut command = Command::new(orthanc);
        let child = command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let archive = Self { child, http, dicom };
        wait_for("Orthanc up", Duration::from_secs(60), || archive.ask("/system"));
        Some(archive)
    }

    fn bytes(&self, path: &str) -> Result<Vec<u8>, String> {
        let url = format!("http://127.0.0.1:{}{path}", self.http);
        let mut response = ureq::get(&url).call().map_err(|error| error.to_string())?;
        response.body_mut().read_to_vec().map_err(|error| error.to_string())
    }

    fn ask(&self, path: &str) -> Result<Value, String> {
        serde_json::from_slice(&self.bytes(path)?).map_err(|error| error.to_string())
    }

    /// Class and file of everything that it holds.
    pub fn objects(&self) -> Vec<(String, Vec<u8>)> {
        let instances = self.ask("/instances").unwrap();
        let ids = instances.as_array().unwrap().iter().map(|id| id.as_str().unwrap());
        let object = |id: &str| {
            let class = self.bytes(&format!("/instances/{id}/content/0008-0016")).unwrap();
            let class = String::from_utf8(class).unwrap().trim_matches(['\0', ' ']).to_owned();
            (class, self.bytes(&format!("/instances/{id}/file")).unwrap())
        };
        ids.map(object).collect()
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
