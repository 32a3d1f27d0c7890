package fault

// Object is what a fault is about. Its value is class × 1000 + the object's
// number, so that data and server objects with one number stay apart.
type Object int

// Cause is why a call failed. Server causes share the numbers of data causes
// but not their names, so they stand 1000 higher.
type Cause int

func (o Object) class() int  { return int(o) / 1000 }
func (o Object) number() int { return int(o) % 1000 }
func (c Cause) number() int  { return int(c) % 1000 }

// String is the symbol without OBJECT_, for example DOMAIN.
func (o Object) String() string { return objectNames[o] }

// String is the symbol without CAUSE_, for example NOTFOUND.
func (c Cause) String() string { return causeNames[c] }

// Data objects (class 5), numbered as in the v3 fault code tables. Hosting,
// certificate, site and most billing objects are left out: no call that this
// gateway knows can be about them.
const (
	Unknown          Object = 5000
	Password         Object = 5001
	Session          Object = 5002
	Login            Object = 5003
	Integer          Object = 5010
	Boolean          Object = 5011
	String           Object = 5012
	Date             Object = 5013
	List             Object = 5014
	Struct           Object = 5015
	Method           Object = 5016
	Key              Object = 5017
	Float            Object = 5018
	Duration         Object = 5019
	Email            Object = 5050
	URL              Object = 5051
	FQDN             Object = 5052
	IPv4             Object = 5053
	WebRedirection   Object = 5054
	Transfer         Object = 5055
	TransferOut      Object = 5056
	IPv6             Object = 5057
	CIDR             Object = 5058
	Domain           Object = 5100
	Account          Object = 5101
	Operation        Object = 5102
	Mailbox          Object = 5103
	Forward          Object = 5104
	MailZone         Object = 5105
	Host             Object = 5106
	Status           Object = 5107
	DNSSECKey        Object = 5108
	Mail             Object = 5109
	Reachability     Object = 5110
	Claims           Object = 5111
	CompanyName      Object = 5140
	BodyName         Object = 5141
	AssociationName  Object = 5142
	Phone            Object = 5150
	FrenchDepartment Object = 5151
	CountryCode      Object = 5152
	ContactType      Object = 5153
	ContactClass     Object = 5154
	ISOLanguage      Object = 5155
	ContactLang      Object = 5156
	StateCode        Object = 5157
	AuthCode         Object = 5160
	Contact          Object = 5161
	Corpo            Object = 5162
	Lang             Object = 5163
	Registry         Object = 5164
	EOI              Object = 5165
	TLD              Object = 5166
	Phase            Object = 5167
	ChangeOwner      Object = 5168
	Reseller         Object = 5169
	Sudo             Object = 5170
	RedirectionType  Object = 5200
	BuyrenewPeriod   Object = 5201
	Autorenew        Object = 5210
	Prepaid          Object = 5211
	Transaction      Object = 5212
	Packmail         Object = 5220
	Document         Object = 5230
	DocumentRequest  Object = 5231
	SSL              Object = 5232
	Country          Object = 5233
	AutoCredit       Object = 5234
	SMD              Object = 5235
	Zip              Object = 5236
	Goodie           Object = 5237
	AutoFOA          Object = 5238
	Delete           Object = 5239
	FOA              Object = 5240
	OperationState   Object = 5250
	OperationType    Object = 5251
	OperationEvent   Object = 5252
	HostingAccount   Object = 5300
	CatalogEntry     Object = 5702
	Currency         Object = 5701
	Grid             Object = 5723
	DNSCNAME         Object = 5800
	DNSTXT           Object = 5801
	DNSAddress       Object = 5802
	DNSA             Object = 5803
	DNSAAAA          Object = 5804
	DNSMX            Object = 5805
	DNSSPF           Object = 5806
	Zone             Object = 5810
	DNSRecord        Object = 5811
)

// Server objects (class 1).
const (
	Database    Object = 1100
	Registries  Object = 1200
	Network     Object = 1300
	System      Object = 1400
	Application Object = 1500
	Service     Object = 1600
)

// Data causes.
const (
	CauseUnknown              Cause = 0
	CauseType                 Cause = 10
	CauseSyntax               Cause = 20
	CauseCorporate            Cause = 23
	CauseValue                Cause = 30
	CauseSize                 Cause = 31
	CauseExpected             Cause = 32
	CauseUnexpected           Cause = 33
	CauseIdentical            Cause = 34
	CauseQuotaReached         Cause = 35
	CauseName                 Cause = 36
	CauseBadParameter         Cause = 37
	CauseHostname             Cause = 38
	CauseAttached             Cause = 39
	CauseDontExist            Cause = 40
	CauseExist                Cause = 41
	CauseNotFound             Cause = 42
	CauseNoResult             Cause = 43
	CauseNothingToUpdate      Cause = 44
	CausePosition             Cause = 45
	CauseInvalidPhase         Cause = 47
	CauseConf                 Cause = 48
	CauseExpired              Cause = 49
	CauseNoRight              Cause = 50
	CauseDatacenter           Cause = 51
	CauseMultipleResults      Cause = 52
	CauseQuery                Cause = 53
	CauseDisabled             Cause = 54
	CausePrice                Cause = 55
	CauseAuthinfo             Cause = 56
	CauseState                Cause = 60
	CauseOrderNotDone         Cause = 61
	CauseBilled               Cause = 62
	CauseNotEnoughMoney       Cause = 63
	CauseCurrencyMismatch     Cause = 64
	CauseQuantityOrPeriodNull Cause = 65
	CauseFailure              Cause = 66
	CausePending              Cause = 67
	CauseRunning              Cause = 68
	CauseAttachedRunning      Cause = 69
	CauseNotConfigured        Cause = 81
	CauseInvalidStep          Cause = 90
	CauseInvalid              Cause = 91
	CauseInvalidResource      Cause = 92
	CauseCurrency             Cause = 93
	CauseEPPError             Cause = 94
	CauseCannotShrink         Cause = 95
	CauseIPVersionMismatch    Cause = 96
	CauseVersion              Cause = 97
	CauseNotAttached          Cause = 98
	CauseTooMany              Cause = 99
)

// Server causes. CauseUnknown serves both classes.
const (
	CauseServerTooMany     Cause = 1004
	CauseServerUnavailable Cause = 1005
	CauseServerConnection  Cause = 1010
	CauseServerQuery       Cause = 1020
	CauseServerConf        Cause = 1030
)

var objectNames = map[Object]string{
	Unknown:          "UNKNOWN",
	Password:         "PASSWORD",
	Session:          "SESSION",
	Login:            "LOGIN",
	Integer:          "INTEGER",
	Boolean:          "BOOLEAN",
	String:           "STRING",
	Date:             "DATE",
	List:             "LIST",
	Struct:           "STRUCT",
	Method:           "METHOD",
	Key:              "KEY",
	Float:            "FLOAT",
	Duration:         "DURATION",
	Email:            "EMAIL",
	URL:              "URL",
	FQDN:             "FQDN",
	IPv4:             "IPV4",
	WebRedirection:   "WEB_REDIRECTION",
	Transfer:         "TRANSFER",
	TransferOut:      "TRANSFEROUT",
	IPv6:             "IPV6",
	CIDR:             "CIDR",
	Domain:           "DOMAIN",
	Account:          "ACCOUNT",
	Operation:        "OPERATION",
	Mailbox:          "MAILBOX",
	Forward:          "FORWARD",
	MailZone:         "MAILZONE",
	Host:             "HOST",
	Status:           "STATUS",
	DNSSECKey:        "DNSSEC_KEY",
	Mail:             "MAIL",
	Reachability:     "REACHABILITY",
	Claims:           "CLAIMS",
	CompanyName:      "COMPANY_NAME",
	BodyName:         "BODY_NAME",
	AssociationName:  "ASSOCIATION_NAME",
	Phone:            "PHONE",
	FrenchDepartment: "FRENCH_DEPARTMENT",
	CountryCode:      "COUNTRY_CODE",
	ContactType:      "CONTACT_TYPE",
	ContactClass:     "CONTACT_CLASS",
	ISOLanguage:      "ISO_LANGUAGE",
	ContactLang:      "CONTACT_LANG",
	StateCode:        "STATE_CODE",
	AuthCode:         "AUTH_CODE",
	Contact:          "CONTACT",
	Corpo:            "CORPO",
	Lang:             "LANG",
	Registry:         "REGISTRY",
	EOI:              "EOI",
	TLD:              "TLD",
	Phase:            "PHASE",
	ChangeOwner:      "CHANGEOWNER",
	Reseller:         "RESELLER",
	Sudo:             "SUDO",
	RedirectionType:  "REDIRECTION_TYPE",
	BuyrenewPeriod:   "BUYRENEW_PERIOD",
	Autorenew:        "AUTORENEW",
	Prepaid:          "PREPAID",
	Transaction:      "TRANSACTION",
	Packmail:         "PACKMAIL",
	Document:         "DOCUMENT",
	DocumentRequest:  "DOCUMENTREQUEST",
	SSL:              "SSL",
	Country:          "COUNTRY",
	AutoCredit:       "AUTO_CREDIT",
	SMD:              "SMD",
	Zip:              "ZIP",
	Goodie:           "GOODIE",
	AutoFOA:          "AUTOFOA",
	Delete:           "DELETE",
	FOA:              "FOA",
	OperationState:   "OPERATION_STATE",
	OperationType:    "OPERATION_TYPE",
	OperationEvent:   "OPERATION_EVENT",
	HostingAccount:   "HOSTING_ACCOUNT",
	CatalogEntry:     "CATALOG_ENTRY",
	Currency:         "CURRENCY",
	Grid:             "GRID",
	DNSCNAME:         "DNS_CNAME",
	DNSTXT:           "DNS_TXT",
	DNSAddress:       "DNS_ADDRESS",
	DNSA:             "DNS_A",
	DNSAAAA:          "DNS_AAAA",
	DNSMX:            "DNS_MX",
	DNSSPF:           "DNS_SPF",
	Zone:             "ZONE",
	DNSRecord:        "DNS_RECORD",
	Database:         "DATABASE",
	Registries:       "REGISTRIES",
	Network:          "NETWORK",
	System:           "SYSTEM",
	Application:      "APPLICATION",
	Service:          "SERVICE",
}

var causeNames = map[Cause]string{
	CauseUnknown:              "UNKNOWN",
	CauseType:                 "TYPE",
	CauseSyntax:               "SYNTAX",
	CauseCorporate:            "CORPORATE",
	CauseValue:                "VALUE",
	CauseSize:                 "SIZE",
	CauseExpected:             "EXPECTED",
	CauseUnexpected:           "UNEXPECTED",
	CauseIdentical:            "IDENTICAL",
	CauseQuotaReached:         "QUOTA_REACHED",
	CauseName:                 "NAME",
	CauseBadParameter:         "BADPARAMETER",
	CauseHostname:             "HOSTNAME",
	CauseAttached:             "ATTACHED",
	CauseDontExist:            "DONTEXIST",
	CauseExist:                "EXIST",
	CauseNotFound:             "NOTFOUND",
	CauseNoResult:             "NO_RESULT",
	CauseNothingToUpdate:      "NOTHING_TO_UPDATE",
	CausePosition:             "POSITION",
	CauseInvalidPhase:         "INVALID_PHASE",
	CauseConf:                 "CONF",
	CauseExpired:              "EXPIRED",
	CauseNoRight:              "NORIGHT",
	CauseDatacenter:           "DATACENTER",
	CauseMultipleResults:      "MULTIPLE_RESULTS",
	CauseQuery:                "QUERY",
	CauseDisabled:             "DISABLED",
	CausePrice:                "PRICE",
	CauseAuthinfo:             "AUTHINFO",
	CauseState:                "STATE",
	CauseOrderNotDone:         "ORDER_NOT_DONE",
	CauseBilled:               "BILLED",
	CauseNotEnoughMoney:       "NOT_ENOUGH_MONEY",
	CauseCurrencyMismatch:     "CURRENCY_MISMATCH",
	CauseQuantityOrPeriodNull: "QUANTITY_OR_PERIOD_NULL",
	CauseFailure:              "FAILURE",
	CausePending:              "PENDING",
	CauseRunning:              "RUNNING",
	CauseAttachedRunning:      "ATTACHED_RUNNING",
	CauseNotConfigured:        "NOT_CONFIGURED",
	CauseInvalidStep:          "INVALID_STEP",
	CauseInvalid:              "INVALID",
	CauseInvalidResource:      "INVALID_RESOURCE",
	CauseCurrency:             "CURRENCY",
	CauseEPPError:             "EPPERROR",
	CauseCannotShrink:         "CANNOT_SHRINK",
	CauseIPVersionMismatch:    "IP_VERSION_MISMATCH",
	CauseVersion:              "VERSION",
	CauseNotAttached:          "NOT_ATTACHED",
	CauseTooMany:              "TOOMANY",
	CauseServerTooMany:        "TOOMANY",
	CauseServerUnavailable:    "UNAVAILABLE",
	CauseServerConnection:     "CONNECTION",
	CauseServerQuery:          "QUERY",
	CauseServerConf:           "CONF",
}

// CauseNamed finds the data cause of a v5 cause word such as "CAUSE_NOTFOUND".
// v5's domain backend passes v3's words through (recorded).
func CauseNamed(word string) (Cause, bool) {
	for c, name := range causeNames {
		if c < 1000 && "CAUSE_"+name == word {
			return c, true
		}
	}
	return CauseUnknown, false
}
