//! Users: their names are compared without case.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::audit::{NewAudit, append};
use crate::sql::{Connection, Row, params};
use crate::time::{at, millis};
use crate::{Store, StoreError};

/// Role of those of whom one must be left.
const ADMINISTRATOR: &str = "administrator";

/// Characters of a name.
const LONGEST_NAME: usize = 200;

/// A user.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Name, as it was written when the user was made.
    pub name: String,
    /// Hash of the password, in a form that says how it was made.
    pub password_hash: String,
    /// What they may do.
    pub role: String,
    /// Whether they may not log in.
    pub disabled: bool,
    /// When they were made.
    pub created_at: DateTime<Utc>,
    /// When they were last seen.
    pub seen_at: Option<DateTime<Utc>>,
}

/// What changes of a user; what is `None` stays.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct UserUpdate {
    /// What they may do.
    pub role: Option<String>,
    /// Whether they may not log in.
    pub disabled: Option<bool>,
    /// Hash of a new password.
    pub password_hash: Option<String>,
}

// By hand, so that no log holds a hash that passwords could be tried against.
impl fmt::Debug for UserRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, role, disabled, created_at, seen_at, .. } = self;
        let mut fields = formatter.debug_struct("UserRow");
        fields.field("name", name).field("role", role).field("disabled", disabled);
        fields.field("created_at", created_at).field("seen_at", seen_at).finish_non_exhaustive()
    }
}

impl fmt::Debug for UserUpdate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("UserUpdate");
        fields.field("role", &self.role).field("disabled", &self.disabled);
        fields.field("password", &self.password_hash.is_some()).finish_non_exhaustive()
    }
}

impl UserRow {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            name: row.get("name")?,
            password_hash: row.get("password_hash")?,
            role: row.get("role")?,
            disabled: row.get("disabled")?,
            created_at: at(row.get("created_at")?),
            seen_at: row.get::<_, Option<i64>>("seen_at")?.map(at),
        })
    }

    fn may_administrate(&self) -> bool {
        self.role == ADMINISTRATOR && !self.disabled
    }
}

impl UserUpdate {
    /// What the audit says of it.
    fn in_words(&self, name: &str) -> String {
        let role = self.role.as_ref().map(|role| format!("role {role}"));
        let disabled = self.disabled.map(|it| if it { "disabled" } else { "enabled" }.to_owned());
        let password = self.password_hash.as_ref().map(|_| "new password".to_owned());
        let changes: Vec<_> = [role, disabled, password].into_iter().flatten().collect();
        format!("{name}: {}", changes.join(", "))
    }
}

/// What a name is known by.
pub(super) fn key(name: &str) -> String {
    name.to_lowercase()
}

/// Fails for a name that nobody can have.
pub(super) fn check_name(what: &'static str, name: &str) -> Result<(), StoreError> {
    let long = name.chars().count();
    if name.trim().is_empty() || long > LONGEST_NAME {
        let why = format!("its name has {long} characters, from 1 to {LONGEST_NAME} may be");
        return Err(StoreError::BadValue { what, why });
    }
    Ok(())
}

/// A user, or none of that name.
pub(super) fn find(connection: &Connection<'_>, name: &str) -> Result<Option<UserRow>, StoreError> {
    let sql = "SELECT name, password_hash, role, disabled, created_at, seen_at FROM \"user\"
         WHERE key = ?1";
    Ok(connection.rows(sql, [key(name)], UserRow::read)?.pop())
}

fn any(connection: &Connection<'_>) -> Result<bool, StoreError> {
    connection.any("SELECT 1 FROM \"user\" LIMIT 1", params![])
}

fn insert(connection: &Connection<'_>, user: &UserRow, by: &str) -> Result<(), StoreError> {
    let UserRow { name, password_hash, role, created_at, .. } = user;
    if let Some(other) = find(connection, name)? {
        let what = format!("a user {:?}", other.name);
        return Err(StoreError::Exists { what, todo: "choose another name" });
    }
    let sql = "INSERT INTO \"user\" (key, name, password_hash, role, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)";
    let parameters = params![key(name), name, password_hash, role, millis(*created_at)];
    connection.execute(sql, parameters)?;
    let detail = format!("{name}: role {role}");
    let row = NewAudit { who: by, what: "made a user", study: None, detail: &detail };
    append(connection, row, *created_at)
}

fn change(
    connection: &Connection<'_>,
    name: &str,
    update: &UserUpdate,
    by: &str,
    now: DateTime<Utc>,
) -> Result<UserRow, StoreError> {
    let before = find(connection, name)?.ok_or_else(|| StoreError::NoUser(name.to_owned()))?;
    let mut after = before.clone();
    if let Some(role) = &update.role {
        after.role.clone_from(role);
    }
    if let Some(password_hash) = &update.password_hash {
        after.password_hash.clone_from(password_hash);
    }
    after.disabled = update.disabled.unwrap_or(before.disabled);
    let sql = "UPDATE \"user\" SET role = ?2, disabled = ?3, password_hash = ?4 WHERE key = ?1";
    let parameters = params![key(name), after.role, after.disabled, after.password_hash];
    connection.execute(sql, parameters)?;
    let sql = "SELECT count(*) FROM \"user\" WHERE role = ?1 AND disabled = 0";
    let left: i64 = connection.one(sql, [ADMINISTRATOR], |row| row.get(0))?;
    if before.may_administrate() && left == 0 {
        return Err(StoreError::LastAdministrator(before.name));
    }
    connection.execute("DELETE FROM session WHERE \"user\" = ?1", [key(name)])?;
    let detail = update.in_words(&before.name);
    let row = NewAudit { who: by, what: "changed a user", study: None, detail: &detail };
    append(connection, row, now)?;
    Ok(after)
}

impl Store {
    /// All users, by name.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        let sql = "SELECT name, password_hash, role, disabled, created_at, seen_at FROM \"user\"
             ORDER BY key";
        self.read(|connection| connection.rows(sql, params![], UserRow::read))
    }

    /// A user, whatever the case of the name.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn user(&self, name: &str) -> Result<Option<UserRow>, StoreError> {
        self.read(|connection| find(connection, name))
    }

    /// Whether there is any user.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn any_user(&self) -> Result<bool, StoreError> {
        self.read(any)
    }

    /// Makes the first user. The audit notes it as done by that user.
    ///
    /// # Errors
    /// [`StoreError::Exists`] as soon as there is a user, [`StoreError::BadValue`] for a name that nobody
    /// can have, or of the database.
    pub fn create_first_user(
        &self,
        name: &str,
        password_hash: &str,
        role: &str,
        now: DateTime<Utc>,
    ) -> Result<UserRow, StoreError> {
        self.create(name, password_hash, role, now, |connection, user| {
            if any(connection)? {
                let todo = "log in, or have an administrator make another";
                return Err(StoreError::Exists { what: "a user".to_owned(), todo });
            }
            insert(connection, user, &user.name)
        })
    }

    /// Makes a user; the audit notes who did.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if there is one of that name, [`StoreError::BadValue`] for a name that nobody
    /// can have, or of the database.
    pub fn create_user(
        &self,
        name: &str,
        password_hash: &str,
        role: &str,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<UserRow, StoreError> {
        let by = by.to_owned();
        self.create(name, password_hash, role, now, move |connection, user| {
            insert(connection, user, &by)
        })
    }

    fn create(
        &self,
        name: &str,
        password_hash: &str,
        role: &str,
        now: DateTime<Utc>,
        insert: impl FnOnce(&Connection<'_>, &UserRow) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<UserRow, StoreError> {
        check_name("the user", name)?;
        let user = UserRow {
            name: name.to_owned(),
            password_hash: password_hash.to_owned(),
            role: role.to_owned(),
            disabled: false,
            created_at: at(millis(now)),
            seen_at: None,
        };
        self.write(move |connection| insert(connection, &user).map(|()| user))
    }

    /// Changes a user and ends all their sessions; what they are then. The audit notes who did.
    ///
    /// # Errors
    /// [`StoreError::NoUser`], [`StoreError::LastAdministrator`] if nobody would be left who may make users,
    /// or of the database.
    pub fn change_user(
        &self,
        name: &str,
        update: UserUpdate,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<UserRow, StoreError> {
        let (name, by) = (name.to_owned(), by.to_owned());
        self.write(move |connection| change(connection, &name, &update, &by, now))
    }
}
